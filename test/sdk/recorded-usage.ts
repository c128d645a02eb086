/** One call of a program, with the usage that the program recorded where OpenAI's requests are answered. */
export interface RecordedCall {
  readonly name: string;
  readonly id: string;
  readonly trace_id: string;
  /** Null for a root. */
  readonly parent_id: string | null;
  /** Usage of the call itself, without its children. */
  readonly own: UsageByModel;
}

export type UsageByModel = Readonly<Record<string, TokenCounts>>;

export interface TokenCounts {
  readonly requests: number;
  /** Includes `cached`. */
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number;
}

/** What a program writes to its report file when it ends. */
export interface ProgramReport {
  readonly calls: readonly RecordedCall[];
  /** From method, path and status to the number of answers. */
  readonly requests: Readonly<Record<string, number>>;
  /** Hosts other than loopback that the program tried to connect to. */
  readonly blockedHosts: readonly string[];
}

/** The usage of a call and all its descendants. */
export function subtreeUsageOf(calls: readonly RecordedCall[], id: string): UsageByModel {
  return calls
    .filter((call) => call.id === id || call.parent_id === id)
    .map((call) => (call.id === id ? call.own : subtreeUsageOf(calls, call.id)))
    .reduce(addUsage, {});
}

export function addUsage(total: UsageByModel, added: UsageByModel): UsageByModel {
  const sum: Record<string, TokenCounts> = { ...total };
  for (const [model, counts] of Object.entries(added)) {
    const previous = sum[model] ?? { requests: 0, prompt: 0, completion: 0, cached: 0 };
    sum[model] = {
      requests: previous.requests + counts.requests,
      prompt: previous.prompt + counts.prompt,
      completion: previous.completion + counts.completion,
      cached: previous.cached + counts.cached,
    };
  }
  return sum;
}
