/** Reduces a failing forest. fast-check's own shrinking takes too long, because one attempt takes about a second. */
import type { CallSeed, ForestSeed, PhaseSeed, UsageRequestSeed } from './forest-seed.ts';

/**
 * Removes parts of the forest, largest first, as long as it still fails.
 * @param fails whether a forest fails
 * @param until the time, by `performance.now()`, at which to stop
 */
export async function reduceForest(
  failing: ForestSeed,
  fails: (seed: ForestSeed) => Promise<boolean>,
  until: number,
): Promise<ForestSeed> {
  let smallest = failing;
  for (let found = true; found;) {
    found = false;
    for (const smaller of smallerForests(smallest)) {
      if (performance.now() > until) return smallest;
      if (!(await fails(smaller))) continue;
      smallest = smaller;
      found = true;
      break;
    }
  }
  return smallest;
}

function* smallerForests(seed: ForestSeed): Generator<ForestSeed> {
  for (const phases of shorterLists(seed.phases, 1)) yield { ...seed, phases };
  for (const calls of shorterLists(seed.calls)) yield { ...seed, calls };
  for (const prices of shorterLists(seed.prices)) yield { ...seed, prices };
  for (const phases of changedLists(seed.phases, simplerPhases)) yield { ...seed, phases };
  if (seed.models > 1) yield { ...seed, models: 1 };
  if (seed.isOrderly) yield { ...seed, isOrderly: false };
  if (seed.rollUp !== 'never') yield { ...seed, rollUp: 'never' };
  if (seed.spans !== 'never') yield { ...seed, spans: 'never' };
  for (const calls of changedLists(seed.calls, simplerCalls)) yield { ...seed, calls };
}

function* simplerPhases(phase: PhaseSeed): Generator<PhaseSeed> {
  for (const deletions of shorterLists(phase.deletions)) yield { ...phase, deletions };
  for (const usageRequests of shorterLists(phase.usageRequests)) yield { ...phase, usageRequests };
  for (const requests of shorterLists(phase.requests, 1)) yield { ...phase, requests };
  if (phase.parallel > 1) yield { ...phase, parallel: 1 };
  for (const usageRequests of changedLists(phase.usageRequests, simplerUsageRequests))
    yield { ...phase, usageRequests };
}

function* simplerUsageRequests(usageRequest: UsageRequestSeed): Generator<UsageRequestSeed> {
  if (usageRequest.includeCosts) yield { ...usageRequest, includeCosts: false };
  if (usageRequest.limit !== 'plenty') yield { ...usageRequest, limit: 'plenty' };
  for (const picks of shorterLists(usageRequest.picks, 1)) yield { ...usageRequest, picks };
}

/** The call with one field set to its simplest value. */
function* simplerCalls(call: CallSeed): Generator<CallSeed> {
  const simplest: Partial<CallSeed> = {
    inOtherProject: false,
    parent: 'none',
    form: 'complete',
    sender: 'none',
    ends: 'after its children',
    outputTier: undefined,
    response: 0,
    version: 0,
    stored: 'added',
    summary: undefined,
    time: 0,
  };
  for (const [field, value] of Object.entries(simplest) as [keyof CallSeed, unknown][]) {
    if (call[field] !== value) yield { ...call, [field]: value };
  }
  for (const usage of shorterLists(call.usage)) yield { ...call, usage };
  for (const span of simplerSpans(call.span)) yield { ...call, span };
  for (const part of ['start', 'end'] as const) {
    const { phase, order, repeats } = call[part];
    if (repeats.length > 0) yield { ...call, [part]: { phase, order, repeats: [] } };
    if (phase > 0) yield { ...call, [part]: { phase: 0, order, repeats } };
  }
}

function* simplerSpans(span: CallSeed['span']): Generator<CallSeed['span']> {
  const simplest = { isSpan: false, kind: 'other', scope: 0, start: 0, end: 0, rollUp: 'none' };
  for (const [field, value] of Object.entries(simplest)) {
    if (span[field as keyof typeof simplest] !== value) yield { ...span, [field]: value };
  }
  for (const usage of shorterLists(span.usage)) yield { ...span, usage };
}

/** The list without each of its halves, quarters, and so on down to single entries. */
function* shorterLists<T>(list: readonly T[], minLength = 0): Generator<T[]> {
  for (
    let size = Math.ceil(list.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < list.length; from += size) {
      const shorter = [...list.slice(0, from), ...list.slice(from + size)];
      if (shorter.length >= minLength) yield shorter;
    }
  }
}

/** The list with one changed entry. */
function* changedLists<T>(list: readonly T[], changes: (entry: T) => Iterable<T>): Generator<T[]> {
  for (const [index, entry] of list.entries()) {
    for (const changed of changes(entry)) yield list.with(index, changed);
  }
}
