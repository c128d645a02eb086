import { AsyncLocalStorage } from 'node:async_hooks';
import * as weave from 'weave';
import { addUsage, type RecordedCall, type TokenCounts } from '../recorded-usage.ts';

/**
 * Records the usage of this process, call by call, as the expected value of the service's answers. It takes the ids of
 * calls from the SDK, but neither their sums nor their parents: it tracks these itself.
 */
export class UsageRecorder {
  readonly #calls = new Map<string, RecordedCall>();
  readonly #currentCallId = new AsyncLocalStorage<string>();

  get calls(): RecordedCall[] {
    return [...this.#calls.values()];
  }

  /** Creates an op of the SDK whose calls are recorded. */
  op<Args extends unknown[], Result>(
    name: string,
    body: (...args: Args) => Promise<Result>,
    summarize?: (result: Awaited<Result>) => Record<string, unknown>,
  ): weave.Op<(...args: Args) => Promise<Result>> {
    const run = (...args: Args): Promise<Result> =>
      this.#currentCallId.run(this.#recordCurrentCall(name), () => body(...args));
    const options = { name, ...(summarize === undefined ? {} : { summarize }) };
    return weave.op(run, options);
  }

  /** Runs a function whose calls are children of a call that another process recorded. */
  runAsChildOf<Result>(callId: string, body: () => Promise<Result>): Promise<Result> {
    return this.#currentCallId.run(callId, body);
  }

  /** Adds usage to the SDK's current call; a call that no op of this recorder made is recorded as `openai`. */
  recordUsage(model: string, counts: TokenCounts): void {
    const id = this.#recordCurrentCall('openai');
    const call = this.#calls.get(id)!;
    this.#calls.set(id, { ...call, own: addUsage(call.own, { [model]: counts }) });
  }

  /** Adds the calls that another process recorded. */
  addCalls(calls: readonly RecordedCall[]): void {
    for (const call of calls) this.#calls.set(call.id, call);
  }

  #recordCurrentCall(name: string): string {
    const { callId: id, traceId: trace_id } = weave.requireCurrentCallStackEntry();
    if (!this.#calls.has(id)) {
      const parent_id = this.#currentCallId.getStore() ?? null;
      this.#calls.set(id, { name, id, trace_id, parent_id, own: {} });
    }
    return id;
  }
}
