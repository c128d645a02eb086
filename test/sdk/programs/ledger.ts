import { AsyncLocalStorage } from 'node:async_hooks';
import * as weave from 'weave';
import { addSpending, type SpentCall, type Tokens } from '../spending.ts';

/**
 * What this process spends, call by call. It knows the SDK's ids, but neither its sums nor its idea of who is
 * whose parent: it keeps the books that the service's answers are held against.
 */
export class Ledger {
  readonly #calls = new Map<string, SpentCall>();
  readonly #current = new AsyncLocalStorage<string>();

  get calls(): SpentCall[] {
    return [...this.#calls.values()];
  }

  /** Makes an op of the SDK whose calls are in the books. */
  op<Args extends unknown[], Result>(
    name: string,
    body: (...args: Args) => Promise<Result>,
    summarize?: (result: Awaited<Result>) => Record<string, unknown>,
  ): weave.Op<(...args: Args) => Promise<Result>> {
    const run = (...args: Args): Promise<Result> =>
      this.#current.run(this.#enter(name), () => body(...args));
    const options = { name, ...(summarize === undefined ? {} : { summarize }) };
    return weave.op(run, options);
  }

  /** Runs something below a call that another process has in its books. */
  below<Result>(callId: string, body: () => Promise<Result>): Promise<Result> {
    return this.#current.run(callId, body);
  }

  /** Writes to the SDK's current call what is being spent; a call that no op of this ledger made is entered. */
  charge(model: string, tokens: Tokens): void {
    const id = this.#enter('openai');
    const call = this.#calls.get(id)!;
    this.#calls.set(id, { ...call, own: addSpending(call.own, { [model]: tokens }) });
  }

  /** Takes over what another process spent. */
  include(calls: readonly SpentCall[]): void {
    for (const call of calls) this.#calls.set(call.id, call);
  }

  #enter(name: string): string {
    const { callId: id, traceId: trace_id } = weave.requireCurrentCallStackEntry();
    if (!this.#calls.has(id)) {
      const parent_id = this.#current.getStore() ?? null;
      this.#calls.set(id, { name, id, trace_id, parent_id, own: {} });
    }
    return id;
  }
}
