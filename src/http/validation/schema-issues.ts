import type { ErrorObject } from 'ajv';
import type { ValidationIssue } from '../../errors.ts';
import { unicodeWords } from './unicode.ts';

/** An ajv error with what the option `verbose` adds. */
interface SchemaError extends ErrorObject {
  readonly params: Record<string, unknown>;
}

type Words = Omit<ValidationIssue, 'loc'>;

/**
 * Says ajv's errors in pydantic's words, which users of FastAPI know.
 *
 * @param errors made with the ajv option `verbose`
 * @param value what was validated
 * @param at where the value stands in the request
 */
export function toIssues(
  errors: readonly ErrorObject[],
  value: unknown,
  at: readonly (string | number)[],
): ValidationIssue[] {
  return errors.flatMap((error) => {
    const known = error as SchemaError;
    const words = toWords(known);
    if (words === undefined) return [];
    return [{ loc: [...at, ...toPath(known, value)], msg: words.msg, type: words.type }];
  });
}

function toWords(error: SchemaError): Words | undefined {
  const { keyword, params } = error;
  // Of `anyOf: [T, null]` only what T misses is of use; ajv reports both branches and the whole.
  if (keyword === 'anyOf' || keyword === 'if' || keyword === 'propertyNames') return undefined;
  if (keyword === 'type' && params['type'] === 'null') return undefined;
  const say = wordsOf[keyword];
  return say === undefined
    ? { type: keyword, msg: `Input ${error.message ?? 'is not valid'}` }
    : say(error);
}

const wordsOf: Readonly<Record<string, (error: SchemaError) => Words>> = {
  required: () => ({ type: 'missing', msg: 'Field required' }),
  additionalProperties: () => ({
    type: 'extra_forbidden',
    msg: 'Extra inputs are not permitted',
  }),
  type: typeWords,
  format: formatWords,
  const: ({ schema }) => literalWords([schema]),
  enum: ({ schema }) => literalWords(schema as unknown[]),
  minLength: ({ params }) => ({
    type: 'string_too_short',
    msg: `String should have at least ${counted(params['limit'], 'character')}`,
  }),
  maxLength: ({ params }) => ({
    type: 'string_too_long',
    msg: `String should have at most ${counted(params['limit'], 'character')}`,
  }),
  minItems: ({ params, data }) =>
    tooShortWords('List', params['limit'], (data as unknown[]).length),
  minProperties: ({ params, data }) =>
    tooShortWords('Dictionary', params['limit'], Object.keys(data as object).length),
  maxItems: ({ params, data }) => tooLongWords('List', params['limit'], (data as unknown[]).length),
  maxProperties: ({ params, data }) =>
    tooLongWords('Dictionary', params['limit'], Object.keys(data as object).length),
  minimum: ({ params }) => ({
    type: 'greater_than_equal',
    msg: `Input should be greater than or equal to ${String(params['limit'])}`,
  }),
  maximum: ({ params }) => ({
    type: 'less_than_equal',
    msg: `Input should be less than or equal to ${String(params['limit'])}`,
  }),
};

function typeWords({ params, data, parentSchema }: SchemaError): Words {
  if (Array.isArray(params['type'])) {
    const types = params['type'].map(String);
    const msg = `Input should be of type ${types.slice(0, -1).join(', ')} or ${types.at(-1) ?? ''}`;
    return { type: 'value_error', msg };
  }
  switch (params['type']) {
    case 'string':
      return parentSchema?.['format'] === 'date-time'
        ? { type: 'datetime_type', msg: 'Input should be a valid datetime' }
        : { type: 'string_type', msg: 'Input should be a valid string' };
    case 'integer':
      return integerWords(data);
    case 'number':
      return isNotFinite(data)
        ? { type: 'finite_number', msg: 'Input should be a finite number' }
        : { type: 'float_type', msg: 'Input should be a valid number' };
    case 'boolean':
      return { type: 'bool_type', msg: 'Input should be a valid boolean' };
    case 'array':
      return { type: 'list_type', msg: 'Input should be a valid list' };
    default:
      return parentSchema?.['properties'] === undefined
        ? { type: 'dict_type', msg: 'Input should be a valid dictionary' }
        : {
            type: 'model_attributes_type',
            msg: 'Input should be a valid dictionary or object to extract fields from',
          };
  }
}

function integerWords(data: unknown): Words {
  if (isNotFinite(data)) return { type: 'finite_number', msg: 'Input should be a finite number' };
  return typeof data === 'number'
    ? {
        type: 'int_from_float',
        msg: 'Input should be a valid integer, got a number with a fractional part',
      }
    : { type: 'int_type', msg: 'Input should be a valid integer' };
}

/** JSON has no infinity, but `1e400` is read as one. */
function isNotFinite(data: unknown): boolean {
  return typeof data === 'number' && !Number.isFinite(data);
}

function formatWords({ schema }: SchemaError): Words {
  switch (schema) {
    case 'date-time':
      return datetimeWords;
    case 'date-or-time':
      return dateOrTimeWords;
    default:
      return unicodeWords;
  }
}

const datetimeWords: Words = {
  type: 'datetime_parsing',
  msg:
    'Input should be a valid datetime, in ISO 8601 with Z or an offset, ' +
    'an existing day of the years 1900 to 2299',
};

const dateOrTimeWords: Words = {
  type: 'datetime_parsing',
  msg:
    'Input should be a valid date or a valid datetime, in ISO 8601 with Z or an offset, ' +
    'an existing day of the years 1900 to 2299',
};

function literalWords(allowed: readonly unknown[]): Words {
  const named = allowed.map((each) => `'${String(each)}'`);
  const others = named.slice(0, -1).join(', ');
  const words = others === '' ? named.join() : `${others} or ${named.at(-1) ?? ''}`;
  return { type: 'literal_error', msg: `Input should be ${words}` };
}

function tooShortWords(what: string, limit: unknown, actual: number): Words {
  return {
    type: 'too_short',
    msg: `${what} should have at least ${counted(limit, 'item')} after validation, not ${String(actual)}`,
  };
}

function tooLongWords(what: string, limit: unknown, actual: number): Words {
  return {
    type: 'too_long',
    msg: `${what} should have at most ${counted(limit, 'item')} after validation, not ${String(actual)}`,
  };
}

function counted(count: unknown, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function toPath(error: SchemaError, value: unknown): (string | number)[] {
  const path: (string | number)[] = [];
  let current = value;
  for (const segment of error.instancePath.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(current) ? Number(name) : name);
    current = (current as Record<string, unknown>)[name];
  }
  const below = error.params['missingProperty'] ?? error.params['additionalProperty'];
  if (typeof below === 'string') path.push(below);
  if (error.propertyName !== undefined) path.push(error.propertyName, '[key]');
  return path;
}
