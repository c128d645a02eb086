/** A usage object as a provider's API or SDK reports it, and what a call with it must cost. */
export interface ProviderUsage {
  /** As in the table of providers in docs/usage-fields.md, which names the source. */
  readonly provider: string;
  readonly model: string;
  readonly usage: Readonly<Record<string, unknown>>;
  /** All input tokens. */
  readonly prompt: number;
  /** All output tokens. */
  readonly completion: number;
  /** Default: prompt + completion. */
  readonly total?: number;
  /** USD. */
  readonly promptCost: number;
  /** USD. */
  readonly completionCost: number;
}

/** Prices of each model in the table, in USD per token. Each class has its own, so a token in a wrong class shows. */
export const usd = {
  prompt: 3 / 1e6,
  cacheRead: 0.3 / 1e6,
  cacheWrite: 3.75 / 1e6,
  cacheWrite1h: 6 / 1e6,
  audioIn: 40 / 1e6,
  completion: 15 / 1e6,
  audioOut: 80 / 1e6,
} as const;
