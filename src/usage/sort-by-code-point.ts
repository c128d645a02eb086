import type { Steps } from '../run-in-slices.ts';

/** Texts that are sorted in one step. */
const runLength = 128;

/** Sorts as Python does and as ClickHouse sorts bytes; JavaScript itself puts U+E000 after U+10000. */
export function* sortByCodePoint(texts: readonly string[]): Steps<string[]> {
  let runs: string[][] = [];
  for (let start = 0; start < texts.length; start += runLength) {
    runs.push(texts.slice(start, start + runLength).sort(compareCodePoints));
    yield;
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(yield* merge(runs[index] ?? [], runs[index + 1] ?? []));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(a: readonly string[], b: readonly string[]): Steps<string[]> {
  const merged: string[] = [];
  let [indexA, indexB] = [0, 0];
  for (;;) {
    if ((merged.length & 63) === 0) yield;
    const [textA, textB] = [a[indexA], b[indexB]];
    if (textA !== undefined && (textB === undefined || compareCodePoints(textA, textB) <= 0)) {
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

/** Code units from U+D800 on are the only ones whose order is not that of code points. */
const surrogateOrAbove = /[\uD800-\uFFFF]/;

function compareCodePoints(a: string, b: string): number {
  if (surrogateOrAbove.test(a) && surrogateOrAbove.test(b)) {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
