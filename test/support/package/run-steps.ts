import type { Steps } from '../../../src/slices/run-in-slices.ts';

/** Runs a computation to its end without yielding. */
export function runSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
  }
}
