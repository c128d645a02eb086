import { stringify as stringifySorted } from 'safe-stable-stringify';
import { namesOf } from './parse-json.ts';
import type { Steps } from './run-in-slices.ts';
import { sortInSteps } from './sort-in-steps.ts';

/** Pieces of JSON text, and undefined where there was work without text. */
export type JsonFragments = Generator<string | undefined, void, undefined>;

/** How members of objects are sorted: as they are, or by the UTF-16 units of their names. */
type MemberOrder = 'as is' | 'sorted';

/** A value with so many characters is written at once, which takes less than a tenth of a millisecond. */
const maxUnitsAtOnce = 16_384;

/** A value takes as long as so many characters of text. */
const unitsPerValue = 128;

/** An element of an array or a member of an object. */
interface Entry {
  readonly separator: string;
  readonly name?: string;
  readonly value: unknown;
}

/** A container whose text has begun. */
interface OpenContainer {
  readonly entries: Iterator<Entry, undefined>;
  readonly end: string;
}

/** The JSON text of a value in steps, as JSON.stringify writes it, but for the order in {@link namesOf}. */
export function* toJsonFragments(root: unknown, order: MemberOrder = 'as is'): JsonFragments {
  const open: OpenContainer[] = [];
  let entry: Entry | undefined = { separator: '', value: root };
  for (; entry !== undefined; entry = yield* takeNext(open)) {
    const { separator, name, value } = entry;
    if (separator !== '') yield separator;
    if (name !== undefined) {
      yield* toTextFragments(name);
      yield ':';
    }
    if (isSmall(value)) yield toSmallJson(value, order);
    else if (typeof value === 'string') yield* toTextFragments(value);
    else {
      const isArray = Array.isArray(value);
      yield isArray ? '[' : '{';
      open.push(
        isArray
          ? { entries: listEntries(value), end: ']' }
          : {
              entries: memberEntries(value as object, yield* toNames(value as object, order)),
              end: '}',
            },
      );
    }
  }
}

/** Ends containers without further entries. */
function* takeNext(open: OpenContainer[]): Generator<string, Entry | undefined, undefined> {
  for (let container = open.at(-1); container !== undefined; container = open.at(-1)) {
    const next = container.entries.next();
    if (next.done !== true) return next.value;
    yield container.end;
    open.pop();
  }
  return undefined;
}

function* listEntries(list: readonly unknown[]): Generator<Entry, undefined> {
  let separator = '';
  for (const value of list) {
    yield { separator, value };
    separator = ',';
  }
  return undefined;
}

function* toNames(object: object, order: MemberOrder): Steps<readonly string[]> {
  const names = namesOf(object);
  return order === 'sorted' ? yield* sortInSteps(names, compareUnits) : names;
}

function* memberEntries(object: object, names: readonly string[]): Generator<Entry, undefined> {
  let separator = '';
  for (const name of names) {
    const value = (object as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    yield { separator, name, value };
    separator = ',';
  }
  return undefined;
}

/** A text is cut where no pair of surrogates is. */
function* toTextFragments(text: string): JsonFragments {
  if (text.length <= maxUnitsAtOnce) {
    yield JSON.stringify(text);
    return;
  }
  yield '"';
  for (let start = 0; start < text.length;) {
    const last = text.charCodeAt(start + maxUnitsAtOnce - 1);
    const length = last >= 0xd800 && last < 0xdc00 ? maxUnitsAtOnce - 1 : maxUnitsAtOnce;
    yield JSON.stringify(text.slice(start, start + length)).slice(1, -1);
    start += length;
  }
  yield '"';
}

function isSmall(value: unknown): boolean {
  return spendUnits(value, maxUnitsAtOnce) >= 0;
}

/** @returns how many of the units are left; fewer than 0 if the value takes more */
function spendUnits(value: unknown, units: number): number {
  if (typeof value === 'string') return units - unitsPerValue - value.length;
  let left = units - unitsPerValue;
  if (left < 0 || typeof value !== 'object' || value === null) return left;
  if (Array.isArray(value)) {
    for (const element of value) {
      if ((left = spendUnits(element, left)) < 0) return left;
    }
    return left;
  }
  for (const name of namesOf(value)) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if ((left = spendUnits(member, left - name.length)) < 0) return left;
  }
  return left;
}

function toSmallJson(value: unknown, order: MemberOrder): string {
  return (order === 'sorted' ? stringifySorted(value) : JSON.stringify(value)) ?? 'null';
}

/** By UTF-16 units, as JavaScript sorts. */
function compareUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
