import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../clickhouse/errors.ts';
import type { CostUnpricedReq } from '../openapi-types.ts';
import { runInSlices, type Steps } from '../slices/run-in-slices.ts';
import type { PriceSnapshot } from './snapshot/price-snapshot.ts';
import type { PriceSnapshots } from './snapshot/price-snapshots.ts';

/** What no cost of a project's calls contains; the most used models first. */
export interface UnpricedUsage {
  readonly models: readonly UnpricedModel[];
  readonly notContained: readonly NotContained[];
}

/** A model without a price, and the usage of its calls as stored. Sums are exact: strings of all digits. */
export interface UnpricedModel {
  readonly llm_id: string;
  readonly calls: string;
  readonly requests: string;
  readonly prompt_tokens: string;
  readonly completion_tokens: string;
  readonly total_tokens: string;
}

/** A model with a price whose provider charges something besides, in units of the price book. */
interface NotContained {
  readonly llm_id: string;
  readonly calls: string;
  readonly units: readonly string[];
}

/** A row of used_models.sql. */
interface ModelRow {
  readonly llm_id: string;
  readonly calls: string;
  readonly counters: readonly string[];
}

/** A call of which only the end has arrived is stored with the first instant of 1900, and is not listed. */
const minStartedAt = '1900-01-01T00:00:00.000001Z';
const maxStartedAt = '2299-12-31T23:59:59.999999Z';

/** Names of models that a project may have used. */
const maxModels = 100_000;

/**
 * Lists the models of a project's calls that have no price, and what the prices of the others do not contain. The counts
 * are of usage as stored: where an SDK rolls up usage, the tokens of a call are counted again in its ancestors.
 * @throws {ResultTooLargeError} when the calls have more than 100,000 models
 */
export async function listUnpricedModels(
  clickhouse: ClickHouse,
  prices: PriceSnapshots,
  { project_id, after, before, limit }: CostUnpricedReq,
  signal: AbortSignal,
): Promise<UnpricedUsage> {
  const parameters = {
    project_id,
    after: toDateTime64(after ?? minStartedAt),
    before: toDateTime64(before ?? maxStartedAt),
    max_models: maxModels + 1,
  };
  const [snapshot, rows] = await Promise.all([
    prices.current(project_id, signal),
    clickhouse.read<ModelRow>('used_models', parameters, { signal }),
  ]);
  if (rows.length > maxModels) throw new ResultTooLargeError(`more than ${maxModels} models`);
  return await runInSlices(toUnpricedUsage(rows, snapshot, limit), signal);
}

function* toUnpricedUsage(
  rows: readonly ModelRow[],
  snapshot: PriceSnapshot,
  limit: number,
): Steps<UnpricedUsage> {
  const models: UnpricedModel[] = [];
  const notContained: NotContained[] = [];
  for (const row of rows) {
    yield;
    const { llm_id, calls } = row;
    const units = toUnitsNotContained(snapshot, llm_id);
    if (units === null) models.push(toUnpricedModel(row));
    else if (units.length > 0) notContained.push({ llm_id, calls, units });
  }
  return { models: models.slice(0, limit), notContained: notContained.slice(0, limit) };
}

/** @returns null if there are calls of the model that would have no price today: of any hour, with a small prompt */
function toUnitsNotContained(snapshot: PriceSnapshot, model: string): readonly string[] | null {
  const periodUs = BigInt(Date.now()) * 1_000n;
  const units = new Set<string>();
  for (const minuteOfWeek of snapshot.boundaries.price_minutes) {
    const at = { periodUs, promptSize: 0n, serviceTier: '', minuteOfWeek } as const;
    const price = snapshot.choose(model, at);
    if (price === null) return null;
    for (const unit of price.notContained) units.add(unit);
    // It applies in every other minute, too, if nothing better does.
    if (price.row.minutesOfWeek.length === 0) break;
  }
  return [...units].sort();
}

function toUnpricedModel({ llm_id, calls, counters }: ModelRow): UnpricedModel {
  const [requests = '0', prompt_tokens = '0', completion_tokens = '0', total_tokens = '0'] =
    counters;
  return { llm_id, calls, requests, prompt_tokens, completion_tokens, total_tokens };
}
