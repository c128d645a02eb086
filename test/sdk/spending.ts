/** What requests to a model spent. Prompt tokens include cached ones. */
export interface Tokens {
  readonly requests: number;
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number;
}

/** From model to what was spent on it. */
export type Spending = Readonly<Record<string, Tokens>>;

/** One call of a program, as the program saw it. */
export interface SpentCall {
  readonly name: string;
  readonly id: string;
  readonly trace_id: string;
  /** Null for a root. */
  readonly parent_id: string | null;
  /** What the call itself spent, its children's spending left out. */
  readonly own: Spending;
}

/** What a program tells when it ends. */
export interface Report {
  readonly calls: readonly SpentCall[];
  /** From method, path and status to how often the program had that answer. */
  readonly requests: Readonly<Record<string, number>>;
  /** Addresses off this machine that the program tried to reach. */
  readonly outside: readonly string[];
}

/** Adds up two spendings. */
export function addSpending(left: Spending, right: Spending): Spending {
  const sum: Record<string, Tokens> = { ...left };
  for (const [model, tokens] of Object.entries(right)) {
    const before = sum[model] ?? { requests: 0, prompt: 0, completion: 0, cached: 0 };
    sum[model] = {
      requests: before.requests + tokens.requests,
      prompt: before.prompt + tokens.prompt,
      completion: before.completion + tokens.completion,
      cached: before.cached + tokens.cached,
    };
  }
  return sum;
}

/** What a call and all its descendants spent. */
export function spendingBelow(calls: readonly SpentCall[], id: string): Spending {
  return calls
    .filter((call) => call.id === id || call.parent_id === id)
    .map((call) => (call.id === id ? call.own : spendingBelow(calls, call.id)))
    .reduce(addSpending, {});
}
