import type { Steps } from '../slices/run-in-slices.ts';
import { sortInSteps } from '../slices/sort-in-steps.ts';

/** Sorts as Python does and as ClickHouse sorts bytes; JavaScript itself puts U+E000 after U+10000. */
export function sortByCodePoint(texts: readonly string[]): Steps<string[]> {
  return sortInSteps(texts, compareCodePoints);
}

/** Code units from U+D800 on are the only ones whose order is not that of code points. */
const surrogateOrAbove = /[\uD800-\uFFFF]/;

export function compareCodePoints(a: string, b: string): number {
  if (surrogateOrAbove.test(a) && surrogateOrAbove.test(b)) {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
