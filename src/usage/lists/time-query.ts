import { toUnixMicroseconds } from '../../clickhouse/client/date-time64.ts';
import { toEffectiveDate } from '../../prices/effective-date.ts';

/** Calls that start in a range and, as far as it matters, have ended in a range, or have not. Microseconds since 1970. */
export interface TimeRange {
  readonly start: Range;
  readonly state: 'any' | 'ended' | 'running';
  /** Only of calls that have ended. */
  readonly end: Range;
}

/** From inclusive, to exclusive. */
interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** A `query` that is not one on times alone. `path` leads to the expression. */
export class TimeQueryError extends Error {
  override readonly name = 'TimeQueryError';
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.path = path;
  }
}

const maxRanges = 100;
const maxLevels = 32;

const always: Range = { from: -(2n ** 63n), to: 2n ** 63n - 1n };
export const anyTime: TimeRange = { start: always, state: 'any', end: always };

type Path = readonly (string | number)[];

/**
 * Which times the `$expr` of a query means: a call matches if it is in one of the ranges.
 *
 * Comparisons with the end of a running call are neither true nor false, as in SQL, and so is their negation: such a call
 * does not match. Negations are therefore moved to the comparisons at once.
 * @throws {TimeQueryError}
 */
export function toTimeRanges(expression: unknown, path: Path = []): TimeRange[] {
  return convert(expression, { path, level: 1, isNegated: false });
}

interface Place {
  readonly path: Path;
  readonly level: number;
  readonly isNegated: boolean;
}

function convert(expression: unknown, place: Place): TimeRange[] {
  const { path, level, isNegated } = place;
  const [[operator, operand] = []] = entriesOf(expression, path);
  if (operator === undefined) throw new TimeQueryError(path, shape);
  const at = [...path, operator];
  if (level > maxLevels) throw new TimeQueryError(path, `it is more than ${maxLevels} levels deep`);
  if (Object.hasOwn(comparisons, operator))
    return compare(operator, operand, { ...place, path: at });
  if (!['$and', '$or', '$not'].includes(operator) || !Array.isArray(operand)) {
    throw new TimeQueryError(at, shape);
  }
  if (operator === '$not' && operand.length !== 1) {
    throw new TimeQueryError(at, '$not has one operand');
  }
  const negated = (operator === '$not') !== isNegated;
  const parts = operand.map((each: unknown, index) =>
    convert(each, { path: [...at, index], level: level + 1, isNegated: negated }),
  );
  if (operator === '$not') return parts[0] ?? [];
  const isIntersection = (operator === '$and') !== isNegated;
  if (!isIntersection) return checkLength(parts.flat(), at);
  return parts.reduce((ranges, part) => checkLength(intersect(ranges, part), at), [anyTime]);
}

/** After each operand, so that not even ranges of which others leave nothing become too many. */
function checkLength(ranges: TimeRange[], path: Path): TimeRange[] {
  if (ranges.length <= maxRanges) return ranges;
  throw new TimeQueryError(path, `it has more than ${maxRanges} alternatives`);
}

function intersect(a: readonly TimeRange[], b: readonly TimeRange[]): TimeRange[] {
  return a.flatMap((left) => b.flatMap((right) => intersectRanges(left, right)));
}

function intersectRanges(a: TimeRange, b: TimeRange): TimeRange[] {
  const state = a.state === 'any' ? b.state : a.state;
  if (b.state !== 'any' && b.state !== state) return [];
  const [start, end] = [overlap(a.start, b.start), overlap(a.end, b.end)];
  return start.from < start.to && end.from < end.to ? [{ start, state, end }] : [];
}

function overlap(a: Range, b: Range): Range {
  return { from: a.from > b.from ? a.from : b.from, to: a.to < b.to ? a.to : b.to };
}

/** Ranges of a time in which the comparison with `time` is true, or false where it is negated. */
const comparisons: Readonly<Record<string, (time: bigint, isNegated: boolean) => Range[]>> = {
  $lt: (time, isNegated) => [isNegated ? from(time) : before(time)],
  $lte: (time, isNegated) => [isNegated ? from(time + 1n) : before(time + 1n)],
  $gt: (time, isNegated) => [isNegated ? before(time + 1n) : from(time + 1n)],
  $gte: (time, isNegated) => [isNegated ? before(time) : from(time)],
  $eq: (time, isNegated) =>
    isNegated ? [before(time), from(time + 1n)] : [{ from: time, to: time + 1n }],
};

const mirrored: Readonly<Record<string, string>> = {
  $lt: '$gt',
  $lte: '$gte',
  $gt: '$lt',
  $gte: '$lte',
  $eq: '$eq',
};

function from(time: bigint): Range {
  return { ...always, from: time };
}

function before(time: bigint): Range {
  return { ...always, to: time };
}

function compare(operator: string, operands: unknown, { path, isNegated }: Place): TimeRange[] {
  if (!Array.isArray(operands) || operands.length !== 2) throw new TimeQueryError(path, shape);
  const [left, right] = operands.map((each: unknown, index) =>
    entriesOf(each, [...path, index]).at(0),
  );
  const isMirrored = left?.[0] === '$literal';
  const [field, literal] = isMirrored ? [right, left] : [left, right];
  const [fieldAt, literalAt] = isMirrored ? [1, 0] : [0, 1];
  if (field?.[0] !== '$getField' || (field[1] !== 'started_at' && field[1] !== 'ended_at')) {
    throw new TimeQueryError([...path, fieldAt], shape);
  }
  if (literal?.[0] !== '$literal') throw new TimeQueryError([...path, literalAt], shape);
  const isEnd = field[1] === 'ended_at';
  if (literal[1] === null && operator === '$eq' && isEnd) {
    return [{ ...anyTime, state: isNegated ? 'ended' : 'running' }];
  }
  const time = toMicroseconds(literal[1]);
  if (time === undefined) throw new TimeQueryError([...path, literalAt, '$literal'], literalShape);
  const toRanges = comparisons[isMirrored ? (mirrored[operator] ?? operator) : operator];
  return (toRanges?.(time, isNegated) ?? []).map((range) =>
    isEnd ? { start: always, state: 'ended', end: range } : { ...anyTime, start: range },
  );
}

const shape =
  'supported are $lt, $lte, $gt, $gte and $eq of [{"$getField": "started_at"}, {"$literal": TIME}], the same of ended_at, ' +
  'and $and, $or and $not of these';
const literalShape =
  'a time is a number of seconds since 1970, or text in ISO 8601, an existing day of the years 1900 to 2299';

function entriesOf(value: unknown, path: Path): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TimeQueryError(path, shape);
  }
  const entries = Object.entries(value);
  if (entries.length !== 1) throw new TimeQueryError(path, shape);
  return entries;
}

/** Times beyond those of calls, which are in the years 1900 to 2299, are cut to the next ones. */
const maxSeconds = 20_000_000_000;

/** Without a zone, a text is in UTC, as in Weave. */
function toMicroseconds(literal: unknown): bigint | undefined {
  if (typeof literal === 'number' && Number.isFinite(literal)) {
    const seconds = Math.min(Math.max(literal, -maxSeconds), maxSeconds);
    return BigInt(Math.round(seconds * 1_000_000));
  }
  if (typeof literal !== 'string') return undefined;
  const date = toEffectiveDate(literal);
  return date === undefined ? undefined : toUnixMicroseconds(date);
}
