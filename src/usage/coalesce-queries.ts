import { ClickHouseUnavailableError, ClickHouseOverloadedError } from '../clickhouse/errors.ts';
import type { RolledUp } from './roll-up.ts';
import type { UsageParameters } from './query-usage.ts';

/** Reads what answers a question. */
export type QueryRolledUp = (parameters: UsageParameters, signal: AbortSignal) => Promise<RolledUp>;

export interface CoalescingLimits {
  /** Readings at once. */
  readonly concurrency: number;
  /** Questions that may wait; the next one is refused. */
  readonly waiting: number;
  /** Ids of calls that are asked for together, unless one question alone has more. */
  readonly callIds: number;
}

/** A question that waits, or is being answered. */
interface Question {
  readonly parameters: UsageParameters;
  readonly signal: AbortSignal;
  readonly resolve: (answers: RolledUp) => void;
  readonly reject: (reason: unknown) => void;
  /** To be read by itself, after what it was read with has failed. */
  isAlone: boolean;
}

/**
 * Lets questions share a reading. A question that finds a reading free is read at once; while all are taken, questions
 * of one project wait and are then read as one, since a statement for a hundred calls takes ClickHouse not much more
 * than one for ten. Answers are the same: each requested call has its own, whatever else is asked for beside it.
 *
 * A reading that fails for what one of its questions may have caused, such as a trace that takes too long, is tried
 * again for each of them alone. A question whose signal fires is rejected at
 * once; its reading ends when nobody waits for it any more. Rejects with {@link ClickHouseOverloadedError} when too many
 * questions wait.
 */
export function coalesceQueries(read: QueryRolledUp, limits: CoalescingLimits): QueryRolledUp {
  const waiting: Question[] = [];
  let running = 0;

  function startReadings(): void {
    while (running < limits.concurrency && waiting.length > 0)
      void run(takeTogether(waiting, limits));
  }

  async function run(questions: readonly Question[]): Promise<void> {
    running += 1;
    try {
      const answers = await read(toParameters(questions), whenAllHaveGone(questions));
      for (const question of questions) question.resolve(answers);
    } catch (error) {
      if (questions.length > 1 && isOfOne(error)) waiting.unshift(...questions.map(toAlone));
      else for (const question of questions) question.reject(error);
    }
    running -= 1;
    startReadings();
  }

  return async (parameters, signal) => {
    signal.throwIfAborted();
    if (running >= limits.concurrency && waiting.length >= limits.waiting) {
      throw new ClickHouseOverloadedError(`${waiting.length} questions wait already`);
    }
    return await new Promise<RolledUp>((resolve, reject) => {
      const question = { parameters, signal, resolve, reject, isAlone: false };
      waiting.push(question);
      signal.addEventListener('abort', () => {
        const place = waiting.indexOf(question);
        if (place >= 0) waiting.splice(place, 1);
        reject(signal.reason as Error);
      });
      startReadings();
    });
  };
}

/** Whether one question may be to blame, and the others not. */
function isOfOne(error: unknown): boolean {
  return (
    !(error instanceof ClickHouseUnavailableError) && !(error instanceof ClickHouseOverloadedError)
  );
}

function toAlone(question: Question): Question {
  question.isAlone = true;
  return question;
}

/** Takes the first question and those that can be read with it. */
function takeTogether(waiting: Question[], limits: CoalescingLimits): Question[] {
  const first = waiting.shift();
  if (first === undefined) return [];
  const taken = [first];
  let callIds = first.parameters.call_ids.length;
  for (let place = 0; place < waiting.length && !first.isAlone;) {
    const next = waiting[place];
    const more = next?.parameters.call_ids.length ?? 0;
    if (next === undefined || !areAlike(first, next) || callIds + more > limits.callIds) {
      place += 1;
      continue;
    }
    waiting.splice(place, 1);
    taken.push(next);
    callIds += more;
  }
  return taken;
}

function areAlike({ parameters: a }: Question, { parameters: b, isAlone }: Question): boolean {
  return !isAlone && a.project_id === b.project_id && a.include_costs === b.include_costs;
}

function toParameters(questions: readonly Question[]): UsageParameters {
  const [first] = questions as [Question];
  if (questions.length === 1) return first.parameters;
  const call_ids = new Set(questions.flatMap(({ parameters }) => parameters.call_ids));
  return { ...first.parameters, call_ids: [...call_ids] };
}

/** Fires when the signals of all questions have. */
function whenAllHaveGone(questions: readonly Question[]): AbortSignal {
  const controller = new AbortController();
  let left = questions.length;
  for (const { signal } of questions) {
    const leave = (): void => {
      left -= 1;
      if (left === 0) controller.abort(signal.reason);
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  }
  return controller.signal;
}
