import { usageFieldCodes } from './usage-field-codes.ts';

/** The usage of one model, as an element of `call_parts.usage_fields` (docs/call-parts.md). */
export interface UsageFields {
  readonly model: string;
  readonly counters: readonly bigint[];
  /** UTF-8; cut to 32 bytes. */
  readonly serviceTier: Buffer;
  readonly facts: number;
}

/** A field that has a counter, and its value; values that are no counter are -1. */
interface Counter {
  readonly code: number;
  readonly value: number;
}

/** Without a bound, a repeated name would make {@link leaveOutLesserNames} quadratic. */
const maxCounters = 200;

/** The position of requests that have no readable counter of tokens, and the first code of these counters. */
const unknownRequests = 26;
const firstTokenCode = 200_000;
const firstCounterCode = 100_000;

const embeddingModel = /embed|rerank|(?:^|\/)(?:voyage|jina)[^/]*$/i;

/**
 * Extracts the usage of each model of a summary, sorted by model. ClickHouse would extract the same with the expression
 * in 0008_merged_calls.sql, but takes half of the processor time of an insert for it. The comments there explain the steps.
 */
export function readUsageFields(summary: unknown, outputServiceTier: string): UsageFields[] {
  const entries = toObject(toObject(summary)?.['usage']);
  if (entries === undefined) return [];
  const usage: UsageFields[] = [];
  for (const [model, entry] of Object.entries(entries)) {
    const fields = toObject(entry);
    if (fields === undefined) continue;
    const read = readEntry(model, fields, outputServiceTier);
    if (read.counters.some((counter) => counter > 0n)) usage.push(read);
  }
  return usage.length < 2 ? usage : usage.sort((a, b) => compareUtf8(a.model, b.model));
}

function readEntry(
  model: string,
  fields: Readonly<Record<string, unknown>>,
  outputServiceTier: string,
): UsageFields {
  const all: Counter[] = [];
  let facts = 0;
  for (const [name, value] of listFields(model, fields)) {
    const code = usageFieldCodes.get(name) ?? (name.startsWith('cache_creation.') ? 600_016 : 0);
    if (code === 0) continue;
    facts |= Math.trunc(code / 100) % 10;
    all.push({ code, value: toCounter(value) });
  }
  const isUnknown = !all.some(({ code, value }) => code > firstTokenCode && value >= 0);
  const counters = all.filter(({ code, value }) => code > firstCounterCode && value > 0);
  return {
    model,
    counters: toPositions(leaveOutLesserNames(counters.slice(0, maxCounters)), isUnknown),
    serviceTier: toServiceTier(toText(fields['service_tier']) || outputServiceTier),
    facts,
  };
}

/** The fields of an entry, and those of fields that are objects with names as in `a.b`. */
function* listFields(
  model: string,
  fields: Readonly<Record<string, unknown>>,
): Generator<readonly [string, unknown]> {
  for (const [name, value] of Object.entries(fields)) {
    yield [name, value];
    yield* listMembers(name, value);
  }
  // Its one-hour writes are part of what is written, and counted once more on their own.
  yield* listMembers('cache_creation_1h', fields['cache_creation']);
  if (embeddingModel.test(model)) yield ['embedding.total_tokens', fields['total_tokens']];
}

function* listMembers(name: string, value: unknown): Generator<readonly [string, unknown]> {
  if (typeof value === 'string') {
    if (!value.startsWith('{') && !value.startsWith('[')) return;
    yield* listMembers(name, parseJson(value));
  } else if (Array.isArray(value)) {
    const members = value.map(toModality);
    if (members.includes(undefined)) return;
    for (const [member, count] of members as [string, unknown][])
      yield [`${name}.${member}`, count];
  } else if (typeof value === 'object' && value !== null) {
    for (const [member, inner] of Object.entries(value)) {
      const nested = readNestedDetail(member, inner);
      yield nested === undefined
        ? [`${name}.${member}`, inner]
        : [`${name}.${nested[0]}`, nested[1]];
    }
  }
}

/** Reads an element of a list such as [{"modality":"AUDIO","tokenCount":7}]. */
function toModality(element: unknown): [string, unknown] | undefined {
  const members = Object.entries(toObject(element) ?? {});
  if (members.length !== 2) return undefined;
  for (const [[name, value], [, count]] of [members, members.toReversed()] as [
    [string, unknown],
    [string, unknown],
  ][]) {
    const isName = (name === 'modality' || name === 'ttl') && typeof value === 'string';
    if (isName && /^\w+$/.test(value) && isDigits(count)) return [value, count];
  }
  return undefined;
}

/** Fields of fields of which one member is read, and those members. */
const nestedDetails = ['cached_tokens_details', 'cache_creation_token_details'];
const nestedMembers = ['audio_tokens', 'ephemeral_1h_input_tokens'];

function readNestedDetail(name: string, value: unknown): readonly [string, unknown] | undefined {
  if (!nestedDetails.includes(name)) return undefined;
  const members = Object.entries(toObject(value) ?? {});
  const found = members.find(
    ([member, count]) => nestedMembers.includes(member) && isDigits(count),
  );
  return found === undefined ? undefined : [`${name}.${found[0]}`, found[1]];
}

/** A counter is left out if another name for the same counter has a lesser rank. */
function leaveOutLesserNames(counters: readonly Counter[]): readonly Counter[] {
  const ranks = new Map<number, number>();
  for (const { code } of counters) {
    const counter = Math.trunc(code / 100_000);
    const rank = Math.trunc(code / 1_000);
    ranks.set(counter, Math.min(ranks.get(counter) ?? rank, rank));
  }
  return counters.filter(
    ({ code }) => ranks.get(Math.trunc(code / 100_000)) === Math.trunc(code / 1_000),
  );
}

/** What has the same position is summed. */
function toPositions(counters: readonly Counter[], isUnknown: boolean): bigint[] {
  const length = Math.max(
    isUnknown ? unknownRequests : 0,
    ...counters.map(({ code }) => code % 100),
  );
  const positions = Array.from({ length }, () => 0n);
  for (const { code, value } of counters) {
    const index = (code % 100) - 1;
    positions[index] = (positions[index] ?? 0n) + BigInt(value);
    if (isUnknown)
      positions[unknownRequests - 1] = (positions[unknownRequests - 1] ?? 0n) + BigInt(value);
  }
  return positions;
}

function isDigits(value: unknown): boolean {
  return (typeof value === 'number' || typeof value === 'string') && /^[0-9]+$/.test(String(value));
}

/** @returns -1 if the value is not a counter */
function toCounter(value: unknown): number {
  const count = isDigits(value) ? Number(value) : -1;
  return count <= Number.MAX_SAFE_INTEGER ? count : -1;
}

const maxServiceTierBytes = 32;

function toServiceTier(text: string): Buffer {
  const lowerCase = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return Buffer.from(lowerCase).subarray(0, maxServiceTierBytes);
}

function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function toObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
