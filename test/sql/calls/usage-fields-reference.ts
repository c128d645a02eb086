import { readText, tableOf } from '../../support/markdown.ts';

/** An element of `call_parts.usage_fields`. */
export interface UsageFields {
  readonly model: string;
  readonly counters: readonly number[];
  readonly service_tier: string;
  readonly facts: number;
}

/** A name of a field, as a path, and where its value is stored. */
interface Name {
  readonly path: string;
  readonly counter: string;
  /** 0 for the names of docs/call-parts.md, else the place among the further names of the counter. */
  readonly rank: number;
  readonly position: number;
}

const ownNames: readonly Omit<Name, 'rank'>[] = tableOf(
  readText('docs/call-parts.md'),
  'position',
).map(([position = '', field = '', counter = '']) => ({
  path: field.replaceAll('`', ''),
  counter,
  position: Number(position),
}));

const furtherNames: readonly Name[] = tableOf(readText('docs/usage-fields.md'), 'counter').flatMap(
  ([group = '', position = '', paths = '']) =>
    [...paths.matchAll(/`([^`]+)`/g)].map(([, path = '']) => ({
      path,
      counter: group.split(',')[0] ?? '',
      // "Inside" stands before "beside" in the table.
      rank: 1 + paths.indexOf(`\`${path}\``) + (group.includes('beside') ? 10_000 : 0),
      position: Number(position),
    })),
);

/** All names that are read, those of docs/call-parts.md first. */
export const names: readonly Name[] = [
  ...ownNames.map((name) => ({ ...name, rank: 0 })),
  ...furtherNames,
];

const largest = 2 ** 53 - 1;

/** Reads `summary.usage` as docs/call-parts.md and docs/usage-fields.md say; slow, and shares no code with ClickHouse's. */
export function toUsageFields(summary: unknown, outputTier = ''): UsageFields[] {
  const usage = isObject(summary) ? summary['usage'] : undefined;
  if (!isObject(usage)) return [];
  return Object.entries(usage)
    .filter((pair): pair is [string, Record<string, unknown>] => isObject(pair[1]))
    .map(([model, entry]) => toEntry(model, entry, outputTier))
    .filter(({ counters }) => counters.length > 0)
    .sort((a, b) => Buffer.compare(Buffer.from(a.model), Buffer.from(b.model)));
}

function toEntry(model: string, entry: Record<string, unknown>, outputTier: string): UsageFields {
  const readable = names.flatMap((name) => {
    const value = readPath(entry, name.path);
    return value === undefined ? [] : [{ ...name, value }];
  });
  const isEmbedding = /embed|rerank/i.test(model) || /(?:^|\/)(?:voyage|jina)[^/]*$/i.test(model);
  const total = readCounter(entry['total_tokens']);
  if (isEmbedding && total !== undefined) {
    readable.push({ path: '', counter: 'prompt', rank: Infinity, position: 2, value: total });
  }
  const counters = toCounters(readable);
  const isUnknown = readable.every(({ counter }) => counter === 'requests');
  if (isUnknown && (counters[0] ?? 0) > 0) counters[25] = counters[0] ?? 0;
  const tier = entry['service_tier'] ?? '';
  return {
    model,
    counters: Array.from(counters, (value: number | undefined) => value ?? 0),
    service_tier: (typeof tier === 'string' && tier !== '' ? tier : outputTier)
      .toLowerCase()
      .slice(0, 32),
    facts: toFacts(entry),
  };
}

/** The counters above 0 by position, without trailing zeros. */
function toCounters(readable: readonly (Name & { readonly value: number })[]): number[] {
  const counters: number[] = [];
  const positive = readable.filter(({ value }) => value > 0);
  for (const { counter, rank, position, value } of positive) {
    const isTaken = positive.some((other) => other.counter === counter && other.rank < rank);
    if (!isTaken) counters[position - 1] = (counters[position - 1] ?? 0) + value;
  }
  return counters;
}

function toFacts(entry: Record<string, unknown>): number {
  const has = (path: string): boolean => toTexts(entry, path).length > 0;
  const beside = furtherNames.filter(({ position }) => position === 7 || position === 8);
  const thoughts = names.filter(({ counter }) => counter === 'thoughts');
  return (
    Number(Object.hasOwn(entry, 'cache_creation')) +
    2 * Number(Object.hasOwn(entry, 'service_tier')) +
    4 * Number(thoughts.some(({ path }) => has(path))) +
    8 * Number(beside.some(({ path }) => has(path)))
  );
}

/** The sum of what stands at a path; undefined if nothing there is a counter. */
function readPath(entry: Record<string, unknown>, path: string): number | undefined {
  const counters = toTexts(entry, path)
    .map(readCounter)
    .filter((counter) => counter !== undefined);
  return counters.length === 0 ? undefined : counters.reduce((sum, counter) => sum + counter, 0);
}

/** The values at a path: `a.b`, `a.*`, or `a[b=c].d` for elements of an array. */
function toTexts(value: unknown, path: string): unknown[] {
  const [first = '', ...others] = path.split('.');
  if (!isObject(value)) return [];
  const rest = others.join('.');
  if (first === '*') return Object.values(value);
  const [, array, key, wanted] = /^(\w+)\[(\w+)=(\w+)\]$/.exec(first) ?? [];
  if (array === undefined || key === undefined) {
    if (!Object.hasOwn(value, first)) return [];
    return rest === '' ? [value[first]] : toTexts(value[first], rest);
  }
  const elements = Array.isArray(value[array]) ? (value[array] as unknown[]) : [];
  return elements
    .filter((element) => isObject(element) && element[key] === wanted)
    .flatMap((element) => toTexts(element, rest));
}

function readCounter(value: unknown): number | undefined {
  const isText = typeof value === 'string' && /^[0-9]+$/.test(value);
  if (typeof value !== 'number' && !isText) return undefined;
  const counter = Number(value);
  return Number.isInteger(counter) && counter >= 0 && counter <= largest ? counter : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
