import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import { addMoney, toNumber } from '../../money.ts';
import type { ChosenPrice, UsageCounters } from '../../prices/snapshot/chosen-price.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import { byModel, type ModelUsage, toModelUsage } from '../model-usage.ts';
import type { LiveSource } from '../stats/sources/live-source.ts';
import { fromCounted, fromStoredSums } from '../usage-counters.ts';
import { choosePrice, isUncounted, type PricedRow } from '../query/usage-row.ts';
import { toTokensJson } from '../usage-json.ts';
import type { CallDetails } from './call-details.ts';
import { type DescribedCalls, needsCounting } from './stored-usage.ts';

export interface CostSources {
  readonly live: Pick<LiveSource, 'readUsage'>;
  readonly prices: Pick<PriceSnapshots, 'current'>;
}

interface PricedProject {
  readonly projectId: string;
  readonly prices: PriceSnapshot;
}

/** What a call used of one model. */
interface CallUsage {
  readonly usage: ModelUsage;
  /** That of its first row; a call of several service tiers may have more. */
  readonly price: ChosenPrice | null;
}

/** Usage of a call, by model and price. */
interface CallUsageRow {
  readonly key: string;
  readonly model: string;
  readonly usage: CallUsage;
}

/**
 * What calls used themselves, without their descendants, and what it cost.
 * @returns by the key of each call with usage, the JSON text of `summary.weave.costs`
 * @throws the same errors as `ClickHouse.read`
 */
export async function readCallCosts(
  live: CostSources['live'],
  { projectId, prices }: PricedProject,
  { details, usage }: DescribedCalls,
  options: Required<ReadOptions>,
): Promise<ReadonlyMap<string, string>> {
  const stored = usage.filter(({ counters }) => counters.length > 0);
  const counted = new Set(stored.filter(needsCounting).map(({ call_key }) => call_key));
  const rows = stored
    .filter(({ call_key }) => !counted.has(call_key))
    .map((row) => toRow(row.call_key, row, fromStoredSums(row.counters), prices));
  const others = details.filter(({ key }) => counted.has(key));
  rows.push(...(await readCounted(live, { projectId, prices }, others, options)));
  const usages = new Map<string, Map<string, CallUsage>>();
  for (const { key, model, usage } of rows) {
    const models = usages.get(key) ?? new Map<string, CallUsage>();
    usages.set(key, models);
    models.set(model, addUsage(models.get(model), usage));
  }
  return new Map(Array.from(usages, ([key, models]) => [key, toJson(models)]));
}

/** All times. */
const window = { startUs: -(2n ** 63n), endUs: 2n ** 63n - 1n };

/** By the statements of statistics, which are right for any calls. */
async function readCounted(
  live: CostSources['live'],
  { projectId, prices }: PricedProject,
  calls: readonly CallDetails[],
  options: Required<ReadOptions>,
): Promise<CallUsageRow[]> {
  if (calls.length === 0) return [];
  const { rows } = await live.readUsage(
    {
      ...{ projectId, window, bucketStarts: [window.startUs], groupColumns: ['key'] },
      ...{ filter: {}, located: calls.map(({ id: call_id, trace_id }) => ({ call_id, trace_id })) },
      ...{ boundaries: prices.boundaries, withValues: false },
    },
    options,
  );
  return rows.map((row) => toRow(row.value_1, row, fromCounted(row.counters), prices));
}

function toRow(
  key: string,
  row: PricedRow,
  counters: UsageCounters,
  prices: PriceSnapshot,
): CallUsageRow {
  const price = isUncounted(counters) ? null : choosePrice(row, prices);
  return { key, model: row.model, usage: { usage: toModelUsage({ counters, price }), price } };
}

function addUsage(before: CallUsage | undefined, { usage, price }: CallUsage): CallUsage {
  if (before === undefined) return { usage, price };
  return { usage: byModel.add(before.usage, usage), price: before.price ?? price };
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
