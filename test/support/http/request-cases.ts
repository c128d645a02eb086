/** The JSON schema keywords that request cases are made from. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Of an object with a recursive schema, or of an integer for which 1 is not valid: valid values. */
  readonly examples?: readonly unknown[];
}

/** The parts of an OpenAPI document that describe requests. */
export interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly requestBody?: {
              readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
            };
          }
        >
      >
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** An endpoint that takes a JSON body. */
export interface JsonEndpoint {
  /** The path as in the document, such as `/v2/{entity}/{project}/call/start`. */
  readonly template: string;
  /** The path with the entity `entity` and the project `project`. */
  readonly path: string;
  readonly schema: Schema;
}

/** The endpoints of a document that take a JSON body, but for those of OTLP, whose errors differ. */
export function jsonEndpointsOf(document: Document): JsonEndpoint[] {
  return Object.entries(document.paths).flatMap(([template, methods]) => {
    const content = methods['post']?.requestBody?.content;
    const schema = content?.['application/json']?.schema;
    if (schema === undefined || content?.['application/x-protobuf'] !== undefined) return [];
    const path = template.replace('{entity}', 'entity').replace('{project}', 'project');
    return [{ template, path, schema }];
  });
}

type Path = readonly (string | number)[];

/** A body with one invalid field, and the validation issue that it must cause. */
interface InvalidBody {
  readonly what: string;
  readonly body: unknown;
  readonly loc: Path;
  readonly type: string;
}

/** A valid body that differs from the example in one field. */
interface ValidBody {
  readonly what: string;
  readonly body: unknown;
}

/** Valid and invalid bodies for one schema. */
export interface RequestCases {
  /** A valid body with every field. */
  readonly example: unknown;
  readonly invalid: readonly InvalidBody[];
  readonly valid: readonly ValidBody[];
}

/** The value of a change that removes a field. */
const absent = Symbol('absent');

interface Change {
  readonly path: Path;
  readonly value: unknown;
  /** The type of the validation issue; undefined when the changed body is valid. */
  readonly type: string | undefined;
  /** The location of the validation issue, when it is not `path`. */
  readonly loc?: Path;
}

/**
 * Generates request bodies from a schema, so that no field is left untested. Each field is removed, set to null, to
 * values of other types and to values that are too long or too large; each case has the validation issue it must cause.
 * @param alternative which branch of an `anyOf` of several schemas to follow
 */
export function toRequestCases(document: Document, schema: Schema, alternative = 0): RequestCases {
  const walker = new SchemaWalker(document, alternative);
  const example = walker.exampleOf(schema);
  const changes = [...walker.changesOf(schema, [])];
  const invalid: InvalidBody[] = [];
  const valid: ValidBody[] = [];
  for (const { path, value, type, loc } of changes) {
    const body = withChange(example, path, value);
    const at = path.join('.') || 'body';
    const what = `${at} = ${value === absent ? 'nothing' : describe(value)}`;
    if (type === undefined) valid.push({ what, body });
    else invalid.push({ what, body, loc: loc ?? path, type });
  }
  return { example, invalid, valid };
}

function describe(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 30)}… (${String(text.length)})` : text;
}

function withChange(body: unknown, path: Path, value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(body)) {
    return body.map((entry, index) =>
      index === name ? withChange(entry as unknown, rest, value) : (entry as unknown),
    );
  }
  const entries = Object.entries(body as object).filter(
    ([key]) => key !== name || rest.length > 0 || value !== absent,
  );
  if (!entries.some(([key]) => key === name) && value !== absent)
    entries.push([String(name), value]);
  return Object.fromEntries(
    entries.map(([key, entry]) => [
      key,
      key === name ? withChange(entry as unknown, rest, value) : (entry as unknown),
    ]),
  );
}

class SchemaWalker {
  readonly #document: Document;
  readonly #alternative: number;

  constructor(document: Document, alternative: number) {
    this.#document = document;
    this.#alternative = alternative;
  }

  exampleOf(schemaOrRef: Schema): unknown {
    const { schema } = this.#resolve(schemaOrRef);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return schema.enum[0];
    switch (schema.type) {
      case 'string':
        if (isTime(schema)) return '2026-01-31T23:59:59.123456Z';
        if (schema.format === 'time-zone') return 'Europe/Berlin';
        return schema.maxLength === 256 ? 'entity/project' : 'x';
      case 'integer':
        return schema.examples?.[0] ?? 1;
      case 'number':
        return Math.min(0.5, schema.maximum ?? 1);
      case 'boolean':
        return true;
      case 'array':
        return schema.maxItems === 0 ? [] : [this.exampleOf(schema.items ?? {})];
      case 'object':
        return schema.examples?.[0] ?? this.#exampleObject(schema);
      default:
        return 'anything';
    }
  }

  #exampleObject(schema: Schema): unknown {
    if (typeof schema.additionalProperties === 'object') {
      return { 'a model': this.exampleOf(schema.additionalProperties) };
    }
    const properties = Object.entries(schema.properties ?? {});
    return Object.fromEntries(properties.map(([name, each]) => [name, this.exampleOf(each)]));
  }

  *changesOf(schemaOrRef: Schema, path: Path): Generator<Change> {
    const { schema, nullable } = this.#resolve(schemaOrRef);
    if (schema.type === 'object' && schema.examples !== undefined) {
      // A recursive schema has no last field: only values of other types are tried.
      for (const value of [null, ...(valuesOfOtherTypes['object'] ?? [])]) {
        yield { path, value, type: typeIssueOf(schema) };
      }
      return;
    }
    const isAny =
      schema.type === undefined && schema.const === undefined && schema.enum === undefined;
    yield* this.#nullChange(schema, path, nullable || isAny);
    for (const [value, type] of invalidValues(schema)) yield { path, value, type };
    // More values than BODY_MAX_VALUES are refused before the list is validated.
    if (schema.maxItems !== undefined && schema.maxItems < 300_000) {
      const type = schema.maxItems === 0 ? 'value_error' : 'too_long';
      yield { path, value: this.#tooMany(schema.maxItems, schema.items ?? {}), type };
    }
    for (const value of validValues(schema)) yield { path, value, type: undefined };
    for (const name of invalidNames(schema)) {
      const value = this.exampleOf(schema.additionalProperties as Schema);
      const loc = [...path, name.key, '[key]'];
      yield { path: [...path, name.key], value, type: name.type, loc };
    }
    if (typeof schema.additionalProperties === 'object') {
      yield* this.changesOf(schema.additionalProperties, [...path, 'a model']);
    }
    if (schema.items !== undefined) yield* this.changesOf(schema.items, [...path, 0]);
    yield* this.#propertyChanges(schema, path);
  }

  /** One item more than allowed. Of a large maximum the items are short and invalid, which keeps the body small. */
  #tooMany(maxItems: number, items: Schema): unknown[] {
    return Array<unknown>(maxItems + 1).fill(maxItems > 1_000 ? 'x' : this.exampleOf(items));
  }

  *#nullChange(schema: Schema, path: Path, allowed: boolean): Generator<Change> {
    if (allowed) yield { path, value: null, type: undefined };
    else yield { path, value: null, type: path.length === 0 ? 'missing' : typeIssueOf(schema) };
  }

  *#propertyChanges(schema: Schema, path: Path): Generator<Change> {
    if (schema.properties === undefined) return;
    for (const [name, property] of Object.entries(schema.properties)) {
      const missing = schema.required?.includes(name) === true ? 'missing' : undefined;
      yield { path: [...path, name], value: absent, type: missing };
      yield* this.changesOf(property, [...path, name]);
    }
    const type = schema.additionalProperties === false ? 'extra_forbidden' : undefined;
    for (const name of ['surplus', '__proto__', 'constructor']) {
      yield { path: [...path, name], value: 1, type };
    }
  }

  #resolve(schemaOrRef: Schema): { readonly schema: Schema; readonly nullable: boolean } {
    if (schemaOrRef.$ref !== undefined) {
      const name = schemaOrRef.$ref.split('/').at(-1) ?? '';
      const target = this.#document.components.schemas[name];
      if (target === undefined) throw new Error(`No schema ${schemaOrRef.$ref}`);
      return this.#resolve(target);
    }
    if (schemaOrRef.anyOf === undefined) return { schema: schemaOrRef, nullable: false };
    const branches = schemaOrRef.anyOf.filter((each) => each.type !== 'null');
    const chosen = branches[branches.length > 1 ? this.#alternative : 0] ?? {};
    const nullable = branches.length < schemaOrRef.anyOf.length;
    return { schema: this.#resolve(chosen).schema, nullable };
  }
}

function typeIssueOf(schema: Schema): string {
  if (schema.const !== undefined || schema.enum !== undefined) return 'literal_error';
  switch (schema.type) {
    case 'string':
      return isTime(schema) ? 'datetime_type' : 'string_type';
    case 'integer':
      return 'int_type';
    case 'number':
      return 'float_type';
    case 'boolean':
      return 'bool_type';
    case 'array':
      return 'list_type';
    default:
      return schema.properties === undefined ? 'dict_type' : 'model_attributes_type';
  }
}

const valuesOfOtherTypes: Readonly<Record<string, readonly unknown[]>> = {
  string: [5, true, ['x'], { x: 'x' }],
  integer: ['5', true, [5], {}],
  number: ['0.5', true, [0.5], {}],
  boolean: ['true', 1, [true], {}],
  array: ['x', 5, {}],
  object: ['x', 5, [], true],
};

function invalidValues(schema: Schema): [unknown, string][] {
  const issue = typeIssueOf(schema);
  if (issue === 'literal_error') return [5, 'other', ['USD'], {}].map((value) => [value, issue]);
  const values: [unknown, string][] = (valuesOfOtherTypes[schema.type ?? ''] ?? []).map((value) => [
    value,
    issue,
  ]);
  if (schema.type === 'integer') values.push([1.5, 'int_from_float']);
  if (schema.minLength === 1) values.push(['', 'string_too_short']);
  if (schema.maxLength !== undefined) {
    values.push(['x'.repeat(schema.maxLength + 1), 'string_too_long']);
  }
  if (schema.format === 'unicode') {
    for (const text of ['\ud800', 'x\udc00', '\udc00\ud800']) values.push([text, 'string_unicode']);
  }
  if (isTime(schema)) {
    const texts =
      schema.format === 'date-time' ? [...invalidTimes, ...timesWithoutZone] : invalidTimes;
    for (const text of texts) values.push([text, 'datetime_parsing']);
  }
  if (schema.format === 'time-zone') {
    for (const text of ['', 'Mars/Olympus_Mons', '+02:00']) values.push([text, 'value_error']);
  }
  if (schema.minimum !== undefined) values.push([lessThanMinimum(schema), 'greater_than_equal']);
  if (schema.maximum !== undefined) values.push([schema.maximum * 2, 'less_than_equal']);
  if (schema.maxProperties !== undefined)
    values.push([toPrices(schema.maxProperties + 1), 'too_long']);
  return values;
}

const invalidTimes = [
  '',
  'yesterday',
  '2026-02-30T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-01T24:30:00Z',
  '1769904000',
  '1899-12-31T00:00:00Z',
  '2300-01-01T00:00:00Z',
  "2026-01-01T00:00:00Z'",
];

const timesWithoutZone = ['2026-01-01', '2026-01-01T00:00:00'];

function isTime({ format }: Schema): boolean {
  return format === 'date-time' || format === 'date-or-time';
}

function lessThanMinimum({ minimum = 0, type }: Schema): number {
  if (type === 'integer') return minimum - 1;
  return minimum === 0 ? -1e-9 : minimum * 2;
}

/** Prices of so many models; only maps of prices have a maximum of entries. */
function toPrices(count: number): object {
  const price = { prompt_token_cost: 0.001, completion_token_cost: 0.001 };
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`m${String(index)}`, price]),
  );
}

function validValues(schema: Schema): unknown[] {
  if (schema.type === 'object' && schema.properties === undefined) {
    return typeof schema.additionalProperties === 'object'
      ? []
      : [{}, { any: ['thing', null, 1.5] }];
  }
  // A project id, which is the one with a maximum of 256, must stay that of the path.
  if (schema.type !== 'string' || schema.maxLength === undefined || schema.maxLength === 256)
    return [];
  return [`'"\\\u0000; --`, '\u{1f600}'.repeat(schema.maxLength)];
}

function invalidNames(schema: Schema): { key: string; type: string }[] {
  const { propertyNames } = schema;
  if (propertyNames === undefined) return [];
  const long = 'x'.repeat((propertyNames.maxLength ?? 0) + 1);
  return [
    { key: '', type: 'string_too_short' },
    { key: long, type: 'string_too_long' },
    { key: 'x\ud800', type: 'string_unicode' },
  ];
}
