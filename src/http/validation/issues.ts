import type { components } from '../../openapi-types.ts';

/** One validation issue, as FastAPI reports it. */
export type ValidationIssue = components['schemas']['ValidationError'];

/** Where a value is in a request, such as `['body', 'batch', 3]`. */
export type Location = ValidationIssue['loc'];

/** Creates an issue of the catalogue; the arguments are those of its message. */
export function toIssue<Type extends IssueType>(
  type: Type,
  loc: Location,
  ...values: Parameters<(typeof issueMessages)[Type]>
): ValidationIssue {
  const toMessage = issueMessages[type] as (...values: unknown[]) => string;
  return { loc, msg: toMessage(...values), type };
}

export type IssueType = keyof typeof issueMessages;

/**
 * The catalogue of validation issues: the message of each type, in pydantic's words where pydantic has such a type.
 * A test compares the types with docs/api.md.
 */
export const issueMessages = {
  missing: () => 'Field required',
  extra_forbidden: () => 'Extra inputs are not permitted',
  literal_error: (allowed: readonly unknown[]) =>
    `Input should be ${toAlternatives(allowed.map((value) => `'${String(value)}'`))}`,

  bool_type: () => 'Input should be a valid boolean',
  int_type: (expected = 'a valid integer') => `Input should be ${expected}`,
  int_from_float: () => 'Input should be a valid integer, got a number with a fractional part',
  float_type: () => 'Input should be a valid number',
  finite_number: () => 'Input should be a finite number',
  greater_than_equal: (minimum: number) => `Input should be greater than or equal to ${minimum}`,
  less_than_equal: (maximum: number, hint?: string) =>
    `Input should be less than or equal to ${maximum}${hint === undefined ? '' : `: ${hint}`}`,

  string_type: () => 'Input should be a valid string',
  string_unicode: () =>
    'Input should be a valid string, unable to parse raw data as a unicode string',
  string_too_short: (minimum: number) =>
    `String should have at least ${toCount(minimum, 'character')}`,
  string_too_long: (maximum: number) =>
    `String should have at most ${toCount(maximum, 'character')}`,

  datetime_type: () => 'Input should be a valid datetime',
  datetime_parsing: (expected: 'datetime' | 'date or a valid datetime', isSpaceInUrl = false) =>
    `Input should be a valid ${expected}, in ISO 8601 ` +
    `${expected === 'datetime' ? 'with' : 'with or without'} Z or an offset, ` +
    'an existing day of the years 1900 to 2299' +
    (isSpaceInUrl ? '; the + of an offset should be written %2B in a URL, where + is a space' : ''),

  list_type: () => 'Input should be a valid list',
  dict_type: () => 'Input should be a valid dictionary',
  model_attributes_type: (contentType?: string) =>
    'Input should be a valid dictionary or object to extract fields from' +
    (contentType === undefined ? '' : `; the content type should be ${contentType}`),
  too_short: (what: 'List' | 'Dictionary', minimum: number, actual: number) =>
    `${what} should have at least ${toCount(minimum, 'item')} after validation, not ${actual}`,
  too_long: (limit: CollectionLimit | ExpressionLimit) =>
    'maxOperands' in limit
      ? `Expressions may be ${limit.maxLevels} levels deep and have ${limit.maxOperands} operators and operands`
      : `${limit.what} should have at most ${toCount(limit.maximum, 'item')} after validation, not ${limit.actual}`,
  recursion_loop: (maxLevels: number) => `Input should be nested at most ${maxLevels} levels deep`,

  item_too_large: () =>
    'The item has more bytes or values than ITEM_LIMIT_MB or ITEM_MAX_VALUES, its inputs and output aside',
  json_invalid: (reason: 'syntax' | 'not UTF-8' = 'syntax') =>
    reason === 'syntax' ? 'JSON decode error' : 'JSON decode error: the body is not UTF-8',
  value_error: (reason: keyof typeof valueErrors) => valueErrors[reason],
  limit_exceeded: (calls: bigint, limit: number) =>
    `The request touches ${calls} calls, which is more than its limit of ${limit}`,
  window_too_large: (calls: bigint, limit: number) =>
    `The traces of the window have ${calls} calls, which is more than STATS_MAX_CALLS, ${limit}; ` +
    'choose a smaller window or a filter',
  too_many_buckets: (buckets: number, groups: number, maximum: number) =>
    groups === 1
      ? `${buckets} buckets are more than ${maximum}; choose longer buckets or a smaller window`
      : `${buckets} buckets of ${groups} groups are more than ${maximum}; ` +
        'choose longer buckets, a smaller window or fewer groups',
  too_many_projects: (limit: number) =>
    `More than EXPORT_MAX_PROJECTS, ${limit}, projects match; choose fewer`,
  id_repeated: (callId: string, [one, other]: readonly [string, string]) =>
    `The id ${JSON.stringify(callId)} is in the traces ${JSON.stringify(one)} and ${JSON.stringify(other)}, ` +
    'and an answer has each id once; name one of them in trace_ids',
  query_unsupported: (reason: string) => `The query cannot be answered: ${reason}`,
  too_many_live_traces: (traces: number, limit: number) =>
    `${traces} traces of the project have changed and are not rolled up yet, which is more than TRACES_MAX_LIVE, ${limit}; ` +
    'try again later',
  answer_too_large: () => 'The answer would be larger than the limit; ask for less at once',
} as const;

interface CollectionLimit {
  readonly what: 'List' | 'Dictionary';
  readonly maximum: number;
  readonly actual: number;
}

interface ExpressionLimit {
  readonly maxLevels: number;
  readonly maxOperands: number;
}

const valueErrors = {
  bodyIncomplete: 'The body ended early',
  bodyEncoding: 'The body does not match its content encoding',
  formSyntax: 'There was an error parsing the body',
  pathProject: 'Value error, project_id should be the entity and project of the path',
  literal: 'Input should be of type string, number, boolean or null',
  minuteRange: 'Value error, end should be greater than start',
  timeZone: 'Value error, timezone should be the IANA name of a time zone, such as Europe/Berlin',
  window: 'Value error, end should not be before start',
  costAggregation: 'Value error, costs have the aggregations sum, avg and count only',
  cursorInvalid: 'Value error, cursor should be the next_cursor of an answer',
  cursorOfOther:
    'Value error, cursor is that of another request; project_id, start, end, filter and sort_by should be the same',
  sortByCost: 'Value error, sort_by cost needs include_costs',
  projectPattern: 'Value error, project should be entity/project, entity/* or *',
  focusBucket: 'Value error, bucket should divide a day, since a charge of FOCUS is in one month',
  parquetRange:
    'Value error, a cost has more than 27 decimal places or is above 10^11 USD, or a count is above 2^63, for which columns ' +
    'of Parquet have no room; csv and jsonl have all digits',
  groupTwice: 'Value error, group_by should name each group once',
  filterUnsupported:
    'Value error, this filter is not supported; supported are op_names, parent_ids, trace_ids, call_ids, thread_ids, ' +
    'wb_user_ids and trace_roots_only',
} as const;

/** `a`, `a or b`, `a, b or c`. */
function toAlternatives(values: readonly string[]): string {
  const last = values.at(-1) ?? '';
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`;
}

function toCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
