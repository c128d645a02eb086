import type { Steps } from './run-in-slices.ts';

/** Items that are sorted in one step. */
const runLength = 128;

/** Sorts in steps: a list of 150,000 texts takes 140 ms when it is sorted at once. */
export function* sortInSteps<Item>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Steps<Item[]> {
  let runs: Item[][] = [];
  for (let start = 0; start < items.length; start += runLength) {
    runs.push(items.slice(start, start + runLength).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(yield* merge(runs[index] ?? [], runs[index + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<Item>(
  a: readonly Item[],
  b: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Steps<Item[]> {
  const merged: Item[] = [];
  let [indexA, indexB] = [0, 0];
  for (;;) {
    if ((merged.length & 63) === 0) yield;
    const [itemA, itemB] = [a[indexA], b[indexB]];
    if (itemA !== undefined && (itemB === undefined || compare(itemA, itemB) <= 0)) {
      merged.push(itemA);
      indexA += 1;
    } else if (itemB === undefined) {
      return merged;
    } else {
      merged.push(itemB);
      indexB += 1;
    }
  }
}
