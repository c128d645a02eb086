import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import { addMoney, toNumber } from '../../money.ts';
import type { ChosenPrice } from '../../prices/snapshot/chosen-price.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import { byModel, type ModelUsage, toModelUsage } from '../model-usage.ts';
import type { LiveSource } from '../stats/sources/live-source.ts';
import { fromCounted } from '../usage-counters.ts';
import { choosePrice } from '../query/usage-row.ts';
import { toTokensJson } from '../usage-json.ts';
import type { CallDetails } from './call-details.ts';

export interface CostSources {
  readonly live: Pick<LiveSource, 'readUsage'>;
  readonly prices: Pick<PriceSnapshots, 'current'>;
}

/** What a call used of one model. */
interface CallUsage {
  readonly usage: ModelUsage;
  /** That of its first row; a call of several service tiers may have more. */
  readonly price: ChosenPrice | null;
}

/** All times. */
const window = { startUs: -(2n ** 63n), endUs: 2n ** 63n - 1n };

/**
 * Reads what calls used themselves, without their descendants, and what it cost.
 * @returns by the key of each call with usage, the JSON text of `summary.weave.costs`
 * @throws the same errors as `ClickHouse.read`
 */
export async function readCallCosts(
  { live, prices: snapshots }: CostSources,
  projectId: string,
  calls: readonly Pick<CallDetails, 'id' | 'trace_id'>[],
  options: Required<ReadOptions>,
): Promise<ReadonlyMap<string, string>> {
  const prices = await snapshots.current(projectId, options.signal);
  const { rows } = await live.readUsage(
    {
      ...{ projectId, window, bucketStarts: [window.startUs], groupColumns: ['key'] },
      ...{ filter: {}, located: calls.map(({ id: call_id, trace_id }) => ({ call_id, trace_id })) },
      ...{ boundaries: prices.boundaries, withValues: false },
    },
    options,
  );
  const usages = new Map<string, Map<string, CallUsage>>();
  for (const row of rows) {
    const counters = fromCounted(row.counters);
    const price = row.known_entries === '0' ? null : choosePrice(row, prices);
    const models = usages.get(row.value_1) ?? new Map<string, CallUsage>();
    usages.set(row.value_1, models);
    const usage = toModelUsage({ counters, price });
    const before = models.get(row.model);
    models.set(row.model, {
      usage: before === undefined ? usage : byModel.add(before.usage, usage),
      price: before?.price ?? price,
    });
  }
  return new Map(Array.from(usages, ([key, models]) => [key, toJson(models)]));
}

/** In the shape of Weave. Costs are null without a price, never 0. */
function toJson(models: ReadonlyMap<string, CallUsage>): string {
  const entries = Array.from(models, ([model, { usage, price }]) => {
    const { promptCost, completionCost } = usage;
    const costs = {
      prompt_tokens_total_cost: toNumberOrNull(promptCost),
      completion_tokens_total_cost: toNumberOrNull(completionCost),
      total_cost: toNumberOrNull(addMoney(promptCost, completionCost)),
      ...toPriceMembers(price),
    };
    const rest = JSON.stringify(costs).slice(1);
    return `${JSON.stringify(model)}:{${toTokensJson(usage)},${rest}`;
  });
  return `{${entries.join(',')}}`;
}

function toPriceMembers(price: ChosenPrice | null) {
  if (price === null) return { prompt_token_cost: null, completion_token_cost: null };
  const { costs, level, llmId, providerId, effectiveDate } = price.row;
  return {
    prompt_token_cost: toNumber(costs.prompt_token_cost),
    completion_token_cost: toNumber(costs.completion_token_cost),
    cache_read_input_token_cost: toNumberOrNull(costs.cache_read_input_token_cost),
    cache_creation_input_token_cost: toNumberOrNull(costs.cache_creation_input_token_cost),
    prompt_token_cost_unit: 'USD',
    completion_token_cost_unit: 'USD',
    ...{ llm_id: llmId, provider_id: providerId, effective_date: effectiveDate },
    pricing_level: level,
  };
}

function toNumberOrNull(amount: bigint | null): number | null {
  return amount === null ? null : toNumber(amount);
}
