/** A long computation that yields after each small step, at most some ten microseconds of work. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

interface Task {
  /** @returns whether it is finished: it has nothing more to do, or has failed */
  readonly runUntil: (endsAt: number) => boolean;
}

/** What one turn of the event loop may spend on all computations together. */
const sliceMs = 10;

/** What a computation that finds nothing waiting may take at once: most are shorter, and never wait. */
const firstSliceMs = 3;

/** Asking the time takes about as long as a small step. */
const stepsPerLook = 16;

/** There is one event loop, so all computations of the process wait in one queue. */
const waiting: Task[] = [];

/**
 * Runs a computation without holding the event loop: in slices, which it shares with all others that run.
 * @param signal ends it between two slices; the promise then rejects with the signal's reason
 */
export function runInSlices<Result>(steps: Steps<Result>, signal?: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const runUntil = (endsAt: number): boolean => {
      try {
        signal?.throwIfAborted();
        const next = runSteps(steps, endsAt);
        if (next.done !== true) return false;
        resolve(next.value);
      } catch (error) {
        // What a computation throws is passed on as it is.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(error);
      }
      return true;
    };
    const isFinished = waiting.length === 0 && runUntil(performance.now() + firstSliceMs);
    if (isFinished) return;
    waiting.push({ runUntil });
    if (waiting.length === 1) setImmediate(runTurn);
  });
}

/** The distinct items, in order: a set of 200,000 texts takes 100 ms when it is made at once. */
export function* toSet<Item>(items: Iterable<Item>): Steps<Set<Item>> {
  const set = new Set<Item>();
  for (const item of items) {
    set.add(item);
    yield;
  }
  return set;
}

/** Adds items to the end of a list, which may be as long as they are. */
export function* append<Item>(list: Item[], items: readonly Item[]): Steps<void> {
  for (const item of items) {
    list.push(item);
    if ((list.length & 63) === 0) yield;
  }
}

/** Runs steps until the computation has ended, or until a time as `performance.now()` tells it. */
export function runSteps<Result>(
  steps: Steps<Result>,
  endsAt: number,
): IteratorResult<undefined, Result> {
  for (;;) {
    for (let step = 0; step < stepsPerLook; step += 1) {
      const next = steps.next();
      if (next.done === true) return next;
    }
    if (performance.now() >= endsAt) return { done: false, value: undefined };
  }
}

/** Runs the computation that has waited longest, and further ones while there is time. */
function runTurn(): void {
  const endsAt = performance.now() + sliceMs;
  do {
    const [task] = waiting;
    if (task === undefined) return;
    const isFinished = task.runUntil(endsAt);
    waiting.shift();
    if (!isFinished) waiting.push(task);
  } while (performance.now() < endsAt);
  if (waiting.length > 0) setImmediate(runTurn);
}
