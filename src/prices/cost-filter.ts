import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { ValidationIssue } from '../errors.ts';
import type { Cost } from './query-costs.ts';

/** What an operand of an expression may be. */
type Value = string | number | boolean | null;

/** An expression that was read: what it says of a price. */
export type CostFilter = (cost: Cost) => Value;

/** The fields that an expression, a sort or a selection may name. */
export const costFields = [
  'id',
  'llm_id',
  'provider_id',
  'effective_date',
  'prompt_token_cost',
  'completion_token_cost',
  'cache_read_input_token_cost',
  'cache_creation_input_token_cost',
  'prompt_token_cost_unit',
  'completion_token_cost_unit',
] as const satisfies readonly (keyof Cost)[];

const operators = ['$and', '$or', '$not', '$eq', '$gt', '$gte', '$in'] as const;
type Operator = (typeof operators)[number];

/** How deep an expression may be nested, and how many operators and operands it may have. */
const deepest = 32;
const mostNodes = 1_000;

/** How many operators and operands may still come. */
interface Budget {
  left: number;
}

/** What is wrong with an expression, and where. */
export class CostFilterError extends Error {
  readonly issue: ValidationIssue;

  constructor(loc: ValidationIssue['loc'], msg: string, type = 'value_error') {
    super(msg);
    this.issue = { loc, msg, type };
  }
}

/**
 * Reads the `$expr` of a query over prices: `$and`, `$or`, `$not`, `$eq`, `$gt`, `$gte` and `$in` over
 * `{"$getField": …}` and `{"$literal": …}`.
 * @param at where it stands in the request
 * @throws {CostFilterError} it is something else
 */
export function parseCostFilter(value: unknown, at: ValidationIssue['loc']): CostFilter {
  return readNode(value, at, 0, { left: mostNodes });
}

function readNode(
  value: unknown,
  at: ValidationIssue['loc'],
  depth: number,
  budget: Budget,
): CostFilter {
  budget.left -= 1;
  if (depth > deepest || budget.left < 0) {
    const msg = `Expressions may be ${deepest} levels deep and have ${mostNodes} operators and operands`;
    throw new CostFilterError(at, msg, 'too_long');
  }
  const [[name, content] = ['', undefined], ...others] = Object.entries(toObject(value, at));
  const here = [...at, name];
  if (others.length > 0) {
    throw new CostFilterError(at, 'An expression has one operator; use $and for several');
  }
  if (name === '$literal') return readLiteral(content, here);
  if (name === '$getField') return readField(content, here);
  const operator = operators.find((one) => one === name);
  if (operator === undefined) {
    const known = [...operators, '$getField', '$literal'].join(', ');
    throw new CostFilterError(here, `Input should be one of ${known}`, 'literal_error');
  }
  return readOperation(operator, content, here, (item, index) =>
    readNode(item, [...here, ...index], depth + 1, budget),
  );
}

function toObject(value: unknown, at: ValidationIssue['loc']): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new CostFilterError(at, 'Input should be a valid dictionary', 'dict_type');
}

function readLiteral(value: unknown, at: ValidationIssue['loc']): CostFilter {
  if (typeof value === 'object' && value !== null) {
    throw new CostFilterError(at, 'Input should be a string, a number, a boolean or null');
  }
  return () => value as Value;
}

function readField(value: unknown, at: ValidationIssue['loc']): CostFilter {
  const field = costFields.find((one) => one === value);
  if (field === undefined) {
    const msg = `Input should be one of ${costFields.join(', ')}`;
    throw new CostFilterError(at, msg, 'literal_error');
  }
  return (cost) => cost[field];
}

/** Reads an operand by its place in the list of operands. */
type ReadOperand = (item: unknown, place: readonly number[]) => CostFilter;

function readOperation(
  operator: Operator,
  content: unknown,
  at: ValidationIssue['loc'],
  read: ReadOperand,
): CostFilter {
  if (!Array.isArray(content)) {
    throw new CostFilterError(at, 'Input should be a valid list', 'list_type');
  }
  const items = content as readonly unknown[];
  if (operator === '$and' || operator === '$or') {
    return combine(
      operator,
      items.map((item, index) => read(item, [index])),
    );
  }
  const wanted = operator === '$not' ? 1 : 2;
  if (items.length !== wanted) {
    throw new CostFilterError(at, `${operator} takes ${wanted} operands, not ${items.length}`);
  }
  const readValue = items.some(isDateField) ? readingTimes(read, at) : read;
  const left = readValue(items[0], [0]);
  if (operator === '$not') return (cost) => left(cost) !== true;
  if (operator === '$in') return readIn(left, items[1], [...at, 1], readValue);
  return compare(operator, left, readValue(items[1], [1]));
}

function isDateField(value: unknown): boolean {
  return JSON.stringify(value) === '{"$getField":"effective_date"}';
}

/** Reads literals as times, so that every way to write a moment is that moment. */
function readingTimes(read: ReadOperand, at: ValidationIssue['loc']): ReadOperand {
  return (item, place) => {
    const text = (item as { $literal?: unknown } | null)?.$literal;
    if (typeof text !== 'string') return read(item, place);
    const time = toDateTime64(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
    if (time === undefined) {
      const msg = 'Input should be a valid date or a valid time with Z or an offset';
      throw new CostFilterError([...at, ...place, '$literal'], msg, 'datetime_parsing');
    }
    return read({ $literal: `${time.replace(' ', 'T')}Z` }, place);
  };
}

function combine(operator: '$and' | '$or', parts: readonly CostFilter[]): CostFilter {
  return operator === '$and'
    ? (cost) => parts.every((part) => part(cost) === true)
    : (cost) => parts.some((part) => part(cost) === true);
}

function readIn(
  left: CostFilter,
  list: unknown,
  at: ValidationIssue['loc'],
  read: ReadOperand,
): CostFilter {
  if (!Array.isArray(list)) {
    throw new CostFilterError(at, 'Input should be a valid list', 'list_type');
  }
  const values = list.map((item, index) => read(item, [1, index]));
  return (cost) => values.some((value) => value(cost) === left(cost));
}

/** Values of different kinds are neither equal nor in any order. */
function compare(
  operator: '$eq' | '$gt' | '$gte',
  left: CostFilter,
  right: CostFilter,
): CostFilter {
  return (cost) => {
    const [a, b] = [left(cost), right(cost)];
    if (operator === '$eq') return a === b;
    if (a === null || b === null || typeof a !== typeof b) return false;
    return operator === '$gt' ? a > b : a >= b;
  };
}

/**
 * The ids that an expression names, if it is nothing but `$eq`, `$in` and `$or` over `id`; undefined for any other, and
 * for one that is nested too deep.
 */
export function toCostIds(value: unknown, depth = 0): string[] | undefined {
  if (typeof value !== 'object' || value === null || depth > deepest) return undefined;
  const [[name, content] = ['', undefined], ...others] = Object.entries(value);
  if (others.length > 0 || !Array.isArray(content)) return undefined;
  const items = content as readonly unknown[];
  if (name === '$or') {
    const ids = items.map((item) => toCostIds(item, depth + 1));
    return ids.length === 0 || ids.includes(undefined)
      ? undefined
      : ids.flatMap((one) => one ?? []);
  }
  const [field, values] = items;
  if (items.length !== 2 || !isIdField(field)) return undefined;
  if (name === '$eq') return toLiterals([values]);
  return name === '$in' && Array.isArray(values) ? toLiterals(values) : undefined;
}

function isIdField(value: unknown): boolean {
  return JSON.stringify(value) === '{"$getField":"id"}';
}

function toLiterals(values: readonly unknown[]): string[] | undefined {
  const ids = values.map((value) => (value as { $literal?: unknown } | null)?.$literal);
  return ids.every((id) => typeof id === 'string') ? ids : undefined;
}
