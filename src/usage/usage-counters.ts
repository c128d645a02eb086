import type { UsageCounters } from '../prices/snapshot/chosen-price.ts';

/** Sums of stored counters (sql/queries/fragments/counting/usage_fields.sql has their positions), with what raw_sums.sql adds. */
export interface StoredSums {
  /** As text. */
  readonly counters: readonly string[];
  /** Before those of children were subtracted, as text; absent where none were. */
  readonly stored_counters?: readonly string[];
  readonly facts: number;
  readonly is_native_sdk: 0 | 1;
  readonly has_excess: 0 | 1;
}

/**
 * Whether the counting rules change more than sums of stored counters show. Where they do not, each class of tokens is a
 * sum of counters: one API has filled its names, there are no counters of another kind, and cached tokens are reported
 * once and inside the prompt.
 */
export function needsRules({
  counters,
  stored_counters: stored = counters,
  facts,
  is_native_sdk,
  has_excess,
}: StoredSums): boolean {
  const isSet = (...positions: number[]): boolean =>
    positions.some((position) => (stored[position - 1] ?? '0') !== '0');
  return (
    stored.length > lastPlainPosition ||
    has_excess === 1 ||
    (isSet(2) && isSet(5)) ||
    (isSet(3) && isSet(6)) ||
    (isSet(7) && isSet(9, 10)) ||
    (facts & reportsCacheBeside) !== 0 ||
    (is_native_sdk === 1 && (facts & hasFieldsOfAnthropic) !== 0)
  );
}

/** Reasoning tokens of `output_tokens_details`: inside the completion unless the total has room for them. */
const lastPlainPosition = 12;

// Bits of `facts`: `cache_creation` and `service_tier`; names of cached tokens beside the prompt.
const hasFieldsOfAnthropic = 1 + 2;
const reportsCacheBeside = 8;

/** @param sums of stored counters for which {@link needsRules} is false */
export function fromStoredSums(sums: readonly string[]): UsageCounters {
  const at = (position: number): bigint => toInteger(sums[position - 1]);
  const prompt = at(2) + at(5);
  const completion = at(3) + at(6);
  const read = at(7) + at(9) + at(10);
  const written = at(8);
  // prettier-ignore
  return [
    at(1), prompt, completion, prompt + completion,
    prompt - read - written, read, written, 0n, 0n,
    completion, 0n, 0n,
  ];
}

/** @param counted sums of `counts` in sql/queries/fragments/counting/counting_rules.sql */
export function fromCounted(counted: readonly string[]): UsageCounters {
  const at = (position: number): bigint => toInteger(counted[position - 1]);
  const [completion, audioOutput] = [at(3), at(10)];
  // Requests, prompt, completion, total; five classes of the prompt; two of the completion; unknown requests.
  // prettier-ignore
  return [
    at(1), at(2), completion, at(4),
    at(9), at(5), at(7), at(6), at(8),
    completion - audioOutput, audioOutput, at(11),
  ];
}

function toInteger(text = '0'): bigint {
  return text === '0' ? 0n : BigInt(text);
}
