import { listCalls, type SampleCall } from '../../demo/sample-call.ts';

/** USD per million tokens; a missing cache price is the prompt price. */
interface Price {
  readonly prompt: number;
  readonly completion: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

/** The prices on the day of the sample traces; gpt-4o's is the project's price. */
const prices: Readonly<Record<string, Price>> = {
  'gpt-4o': { prompt: 2, completion: 8, cacheRead: 1 },
  'gpt-4o-mini': { prompt: 0.15, completion: 0.6, cacheRead: 0.075 },
  'claude-sonnet-4-5': { prompt: 3, completion: 15, cacheRead: 0.3, cacheWrite: 3.75 },
  'gemini-2.5-flash': { prompt: 0.3, completion: 2.5, cacheRead: 0.03 },
  'text-embedding-3-small': { prompt: 0.02, completion: 0 },
};

export interface ExpectedUsage {
  requests: number;
  prompt: number;
  completion: number;
  total: number;
  /** USD; null when the model has no price. */
  promptCost: number | null;
  completionCost: number | null;
}

interface Summary {
  readonly usage?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/**
 * The usage of a call and its descendants by model, computed with plain loops over the sample data: a second
 * implementation of the service's arithmetic that shares neither SQL nor code with it.
 */
export function expectUsage(root: SampleCall): Map<string, ExpectedUsage> {
  const sums = new Map<string, ExpectedUsage>();
  for (const { end } of listCalls(root)) {
    const usage = (end?.summary as Summary | undefined)?.usage ?? {};
    for (const [model, counters] of Object.entries(usage)) {
      const price = prices[model];
      const sum = sums.get(model) ?? toEmpty(price !== undefined);
      add(sum, counters, price);
      sums.set(model, sum);
    }
  }
  return sums;
}

function toEmpty(isPriced: boolean): ExpectedUsage {
  const cost = isPriced ? 0 : null;
  const counts = { requests: 0, prompt: 0, completion: 0, total: 0 };
  return { ...counts, promptCost: cost, completionCost: cost };
}

function add(
  sum: ExpectedUsage,
  counters: Readonly<Record<string, unknown>>,
  price: Price | undefined,
): void {
  const count = (name: string): number => (counters[name] as number | undefined) ?? 0;
  const details = counters['prompt_tokens_details'] as { cached_tokens: number } | undefined;
  const prompt = count('prompt_tokens') + count('input_tokens');
  const completion = count('completion_tokens') + count('output_tokens');
  const cacheRead = count('cache_read_input_tokens') || (details?.cached_tokens ?? 0);
  const cacheWrite = count('cache_creation_input_tokens');
  sum.requests += count('requests');
  sum.prompt += prompt;
  sum.completion += completion;
  sum.total += count('total_tokens') || prompt + completion;
  if (price === undefined || sum.promptCost === null || sum.completionCost === null) return;
  const uncached = prompt - cacheRead - cacheWrite;
  sum.promptCost += (uncached * price.prompt) / 1_000_000;
  sum.promptCost += (cacheRead * (price.cacheRead ?? price.prompt)) / 1_000_000;
  sum.promptCost += (cacheWrite * (price.cacheWrite ?? price.prompt)) / 1_000_000;
  sum.completionCost += (completion * price.completion) / 1_000_000;
}
