import type { Steps } from './run-in-slices.ts';

/** Texts that are sorted in one step. */
const runLength = 128;

/** Sorts in steps: a list of 150,000 texts takes 140 ms when it is sorted at once. */
export function* sortInSteps(
  texts: readonly string[],
  compare: (a: string, b: string) => number = compareUnits,
): Steps<string[]> {
  let runs: string[][] = [];
  for (let start = 0; start < texts.length; start += runLength) {
    runs.push(texts.slice(start, start + runLength).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(yield* merge(runs[index] ?? [], runs[index + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(
  a: readonly string[],
  b: readonly string[],
  compare: (a: string, b: string) => number,
): Steps<string[]> {
  const merged: string[] = [];
  let [indexA, indexB] = [0, 0];
  for (;;) {
    if ((merged.length & 63) === 0) yield;
    const [textA, textB] = [a[indexA], b[indexB]];
    if (textA !== undefined && (textB === undefined || compare(textA, textB) <= 0)) {
      merged.push(textA);
      indexA += 1;
    } else if (textB === undefined) {
      return merged;
    } else {
      merged.push(textB);
      indexB += 1;
    }
  }
}

/** By UTF-16 units, as JavaScript sorts. */
function compareUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
