import type { ErrorObject } from 'ajv';
import { type Location, toIssue, type ValidationIssue } from './issues.ts';

/** An ajv error with what the option `verbose` adds. */
interface SchemaError extends ErrorObject {
  readonly params: Record<string, unknown>;
}

/**
 * Converts ajv's errors into validation issues, in pydantic's words, which users of FastAPI know.
 *
 * @param errors made with the ajv option `verbose`
 * @param value what was validated
 * @param at where the value is in the request
 */
export function toIssues(
  errors: readonly ErrorObject[],
  value: unknown,
  at: Location,
): ValidationIssue[] {
  return errors.flatMap((error) => {
    const schemaError = error as SchemaError;
    if (isRedundant(schemaError)) return [];
    const loc = [...at, ...toPath(schemaError, value)];
    return [issueOf[error.keyword]?.(schemaError, loc) ?? unknownKeyword(error)];
  });
}

/** Of `anyOf: [T, null]` only the errors of T are of use; ajv reports both branches and the `anyOf` itself. */
function isRedundant({ keyword, params }: SchemaError): boolean {
  return (
    ['anyOf', 'if', 'propertyNames'].includes(keyword) ||
    (keyword === 'type' && params['type'] === 'null')
  );
}

/** A keyword that the schemas begin to use needs an entry in {@link issueOf}. */
function unknownKeyword({ keyword }: ErrorObject): never {
  throw new TypeError(`No validation issue is defined for the keyword ${keyword} of JSON Schema.`);
}

type ToIssue = (error: SchemaError, loc: Location) => ValidationIssue;

const issueOf: Readonly<Record<string, ToIssue | undefined>> = {
  required: (_error, loc) => toIssue('missing', loc),
  additionalProperties: (_error, loc) => toIssue('extra_forbidden', loc),
  type: typeIssue,
  format: formatIssue,
  const: ({ schema }, loc) => toIssue('literal_error', loc, [schema]),
  enum: ({ schema }, loc) => toIssue('literal_error', loc, schema as unknown[]),
  minLength: (error, loc) => toIssue('string_too_short', loc, limitOf(error)),
  maxLength: (error, loc) => toIssue('string_too_long', loc, limitOf(error)),
  minItems: (error, loc) => toIssue('too_short', loc, 'List', limitOf(error), sizeOf(error)),
  minProperties: (error, loc) =>
    toIssue('too_short', loc, 'Dictionary', limitOf(error), sizeOf(error)),
  // A list without items is that of a filter which is not supported.
  maxItems: (error, loc) =>
    limitOf(error) === 0
      ? toIssue('value_error', loc, 'filterUnsupported')
      : toIssue('too_long', loc, { what: 'List', maximum: limitOf(error), actual: sizeOf(error) }),
  maxProperties: (error, loc) =>
    toIssue('too_long', loc, {
      what: 'Dictionary',
      maximum: limitOf(error),
      actual: sizeOf(error),
    }),
  minimum: (error, loc) => toIssue('greater_than_equal', loc, limitOf(error)),
  maximum: (error, loc) =>
    toIssue(
      'less_than_equal',
      loc,
      limitOf(error),
      error.parentSchema?.['x-maximum-hint'] as string,
    ),
};

function limitOf({ params }: SchemaError): number {
  return Number(params['limit']);
}

function sizeOf({ data }: SchemaError): number {
  return Array.isArray(data) ? data.length : Object.keys(data as object).length;
}

function typeIssue({ params, data, parentSchema }: SchemaError, loc: Location): ValidationIssue {
  // The only type with alternatives is that of a literal in an expression.
  if (Array.isArray(params['type'])) return toIssue('value_error', loc, 'literal');
  switch (params['type']) {
    case 'string':
      return toIssue(
        String(parentSchema?.['format']).startsWith('date-') ? 'datetime_type' : 'string_type',
        loc,
      );
    case 'integer':
      return integerIssue(data, loc, parentSchema?.['x-type-hint'] as string | undefined);
    case 'number':
      return toIssue(isInfinite(data) ? 'finite_number' : 'float_type', loc);
    case 'boolean':
      return toIssue('bool_type', loc);
    case 'array':
      return toIssue('list_type', loc);
    default:
      return parentSchema?.['properties'] === undefined
        ? toIssue('dict_type', loc)
        : toIssue('model_attributes_type', loc);
  }
}

function integerIssue(data: unknown, loc: Location, expected?: string): ValidationIssue {
  if (isInfinite(data)) return toIssue('finite_number', loc);
  return typeof data === 'number'
    ? toIssue('int_from_float', loc)
    : toIssue('int_type', loc, expected);
}

/** JSON has no infinity, but `1e400` is parsed as one. */
function isInfinite(data: unknown): boolean {
  return typeof data === 'number' && !Number.isFinite(data);
}

function formatIssue({ schema, data }: SchemaError, loc: Location): ValidationIssue {
  switch (schema) {
    case 'date-time':
      return toIssue('datetime_parsing', loc, 'datetime');
    case 'date-or-time':
      return toIssue(
        'datetime_parsing',
        loc,
        'date or a valid datetime',
        loc[0] === 'query' && /\d:\d\d\S* \d\d:?\d\d$/.test(String(data)),
      );
    case 'time-zone':
      return toIssue('value_error', loc, 'timeZone');
    default:
      return toIssue('string_unicode', loc);
  }
}

function toPath(error: SchemaError, value: unknown): (string | number)[] {
  const path: (string | number)[] = [];
  let current = value;
  for (const segment of error.instancePath.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(current) ? Number(name) : name);
    current = (current as Record<string, unknown>)[name];
  }
  const property = error.params['missingProperty'] ?? error.params['additionalProperty'];
  if (typeof property === 'string') path.push(property);
  if (error.propertyName !== undefined) path.push(error.propertyName, '[key]');
  return path;
}
