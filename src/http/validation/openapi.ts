import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse as parseYaml } from 'yaml';
import { toDateTime64 } from '../../clickhouse/client/date-time64.ts';
import type { components } from '../../openapi-types.ts';
import { toEffectiveDate } from '../../prices/effective-date.ts';
import { isTimeZone } from '../../usage/stats/time-zone.ts';
import { sizeValidations } from './size-validations.ts';
import { extraValidations, hasLoneSurrogate } from './extra-validations.ts';
import { type Validator, createValidator, type Compiled, isRecord } from './validator.ts';

/** Name of a schema under `components/schemas` of either OpenAPI document. */
export type SchemaName = keyof components['schemas'];

/** Type of the values that are valid against a schema, defaults filled in. */
export type Schema<Name extends SchemaName> = components['schemas'][Name];

/** A batch without its items. */
interface Envelope {
  readonly batch: readonly unknown[];
}

/** Both OpenAPI documents: the one that is served, and validators of requests. */
export interface OpenApi {
  /** Both documents merged. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The version of our own document, which is the service's. */
  readonly version: string;
  /** Validates against a schema and, where the schema cannot express everything, its extra validation. */
  validatorOf<Name extends SchemaName>(schemaName: Name): Validator<Schema<Name>>;
  /** Validates a batch without its items, which are accepted or dropped one by one. */
  envelopeValidatorOf(schemaName: SchemaName): Validator<Envelope>;
  /** Validates a parameter of paths. */
  parameterValidatorOf(name: keyof components['parameters']): Validator<string>;
  /** `maxItems` of a list in a schema. */
  maxItemsOf(schemaName: SchemaName, property: string): number;
}

type Document = Readonly<Record<string, unknown>>;

const contractName = 'calls-usage.openapi.yaml';
const ownName = 'service.openapi.yaml';

/**
 * Reads the literal contract of /calls/usage and our own document with all other endpoints.
 * @param directory where both files are
 * @throws a file cannot be read, or both documents define the same component or the same part of a path
 */
export function readOpenApi(directory: URL): OpenApi {
  const documents: Record<string, Document> = Object.fromEntries(
    [contractName, ownName].map((name) => [name, readDocument(new URL(name, directory))]),
  );
  const validators = [false, true].map((allErrors) => createAjv(documents, allErrors));
  const compile = (schema: object): Compiled => {
    const [first, all] = validators.map((ajv) => ajv.compile(schema));
    return { first, all } as Compiled;
  };
  return {
    document: mergeDocuments(documents),
    version: String(sectionOf(documents[ownName], 'info')['version']),
    validatorOf: (schemaName) =>
      createValidator(
        compile({ $ref: refOf(documents, schemaName) }),
        extraValidations[schemaName],
        sizeValidations[schemaName],
      ),
    envelopeValidatorOf: (schemaName) =>
      createValidator(compile(withoutItems(schemaIn(documents, schemaName)))),
    parameterValidatorOf: (name) =>
      createValidator(compile({ $ref: `${ownName}#/components/parameters/${name}/schema` })),
    maxItemsOf: (schemaName, property) => {
      const properties = sectionOf(schemaIn(documents, schemaName), 'properties');
      return Number(sectionOf(properties, property)['maxItems'] ?? Infinity);
    },
  };
}

function readDocument(file: URL): Document {
  return parseYaml(readFileSync(file, 'utf8')) as Document;
}

function createAjv(documents: Readonly<Record<string, Document>>, allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    allErrors,
    verbose: true,
    useDefaults: true,
  });
  ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'tags', 'paths', 'components']);
  // Says of a `maximum` what a larger number probably is.
  ajv.addVocabulary(['x-maximum-hint']);
  // What a parameter may be in a URL that is an integer here.
  ajv.addVocabulary(['x-type-hint']);
  ajv.addFormat('unicode', (text) => !hasLoneSurrogate(text));
  ajv.addFormat('date-time', (text) => toDateTime64(text) !== undefined);
  ajv.addFormat('time-zone', isTimeZone);
  ajv.addFormat('date-or-time', (text) => toEffectiveDate(text) !== undefined);
  for (const [name, document] of Object.entries(documents)) ajv.addSchema(document, name);
  return ajv;
}

function refOf(documents: Readonly<Record<string, Document>>, schemaName: string): string {
  const name = Object.keys(documents).find((file) => schemaName in schemasOf(documents[file]));
  if (name === undefined) throw new Error(`No OpenAPI document has the schema ${schemaName}.`);
  return `${name}#/components/schemas/${schemaName}`;
}

function schemaIn(documents: Readonly<Record<string, Document>>, schemaName: string): Document {
  const owner = Object.values(documents).find((document) => schemaName in schemasOf(document));
  return sectionOf(schemasOf(owner), schemaName);
}

function schemasOf(document: Document | undefined): Document {
  return sectionOf(sectionOf(document, 'components'), 'schemas');
}

function withoutItems(schema: Document): Document {
  const properties = Object.entries(sectionOf(schema, 'properties')).map(([name, property]) => {
    const { items: _, ...rest } = property as Document;
    return [name, rest];
  });
  return { ...schema, properties: Object.fromEntries(properties) as Document };
}

/** Adds the contract's paths and components to our own document. */
function mergeDocuments(documents: Readonly<Record<string, Document>>): Document {
  const contract = documents[contractName];
  const own = withLocalRefs(documents[ownName]) as Document;
  const kinds = Object.keys({
    ...sectionOf(contract, 'components'),
    ...sectionOf(own, 'components'),
  });
  const components = kinds.map((kind) => [
    kind,
    mergeSections(
      sectionOf(sectionOf(contract, 'components'), kind),
      sectionOf(sectionOf(own, 'components'), kind),
      `components/${kind}`,
    ),
  ]);
  return {
    ...own,
    paths: addEntries(sectionOf(contract, 'paths'), sectionOf(own, 'paths'), 'paths'),
    components: Object.fromEntries(components) as Document,
  };
}

function mergeSections(contract: Document, own: Document, at: string): Document {
  const isReferenceToContract = (name: string, entry: unknown): boolean =>
    name in contract && isRecord(entry) && entry['$ref'] === `#/${at}/${name}`;
  const added = Object.entries(own).filter(([name, entry]) => !isReferenceToContract(name, entry));
  const duplicate = added.find(([name]) => name in contract);
  if (duplicate !== undefined) {
    throw new Error(`Both OpenAPI documents have ${at}/${duplicate[0]}.`);
  }
  return { ...contract, ...Object.fromEntries(added) };
}

/** Adds to a section of the contract, at any depth, what it does not have. */
function addEntries(contract: Document, own: Document, at: string): Document {
  const merged: Record<string, unknown> = { ...contract };
  for (const [name, entry] of Object.entries(own)) {
    const existing = contract[name];
    if (existing === undefined) merged[name] = entry;
    else if (isRecord(existing) && isRecord(entry)) {
      merged[name] = addEntries(existing, entry, `${at}/${name}`);
    } else throw new Error(`Both OpenAPI documents have ${at}/${name}.`);
  }
  return merged;
}

/** Turns references to the contract's file into references within the merged document. */
function withLocalRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLocalRefs);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([name, entry]) => [
    name,
    name === '$ref' && typeof entry === 'string'
      ? entry.replace(contractName, '')
      : withLocalRefs(entry),
  ]);
  return Object.fromEntries(entries) as unknown;
}

function sectionOf(document: Document | undefined, name: string): Document {
  const section = document?.[name];
  return isRecord(section) ? section : {};
}
