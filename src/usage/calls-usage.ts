import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import { apiErrors } from '../errors.ts';
import type { ResolveAliases } from '../prices/resolve-aliases.ts';
import { rollUp, type ModelUsage, type Usage } from './roll-up.ts';
import { type Money, toNumber } from './money.ts';
import { coalesceQueries, type CoalescingLimits } from './coalesce-queries.ts';
import { createUsageReader } from './query-usage.ts';

/** `CallsUsageReq` of the contract, defaults filled in. */
export interface CallsUsageRequest {
  readonly project_id: string;
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
  readonly limit: number;
}

/**
 * Answers POST /calls/usage: tokens and, where asked for, costs per model for each requested call, its
 * descendants included. The signal ends the query in ClickHouse.
 *
 * Resolves with the JSON text of a `CallsUsageRes`; text because token sums may exceed what a JavaScript number
 * holds. Rejects with an `ApiError` 422 when the request touches more calls than its `limit`, and as
 * {@link ClickHouse.read} does.
 */
export type AnswerCallsUsage = (request: CallsUsageRequest, signal: AbortSignal) => Promise<string>;

/** Makes the function that answers POST /calls/usage from an engine. */
export function createUsage(
  clickhouse: ClickHouse,
  limits: CoalescingLimits,
  resolveAliases?: ResolveAliases,
  /** Told of every answer with costs, whether each model in it has a price. */
  onPriced: (isPriced: boolean) => void = () => undefined,
): AnswerCallsUsage {
  const readRows = createUsageReader(clickhouse, resolveAliases);
  const read = coalesceQueries(
    async (parameters, signal) => rollUp(await readRows(parameters, signal)),
    limits,
  );
  return async ({ project_id, call_ids, include_costs, limit }, signal) => {
    const ids = [...new Set(call_ids)];
    const parameters = { project_id, call_ids: ids, include_costs };
    const { usages, touchedBy } = ids.length === 0 ? rollUp([]) : await read(parameters, signal);
    const { calls, unfinishedCallIds } = touchedBy(ids);
    if (calls > BigInt(limit)) throw limitExceeded(calls, limit);
    if (include_costs) onPriced(ids.every((id) => isPriced(usages.get(id))));
    return toAnswer(ids, usages, unfinishedCallIds);
  };
}

function isPriced(usage: Usage | undefined): boolean {
  return [...(usage?.values() ?? [])].every((sums) => sums.promptCost !== null || isNothing(sums));
}

function toAnswer(
  ids: readonly string[],
  usages: ReadonlyMap<string, Usage>,
  unfinishedCallIds: readonly string[],
): string {
  const nothing: Usage = new Map();
  const usage = ids.map((id) => `${JSON.stringify(id)}:${toJson(usages.get(id) ?? nothing)}`);
  const unfinished = JSON.stringify(sortByCodePoint(unfinishedCallIds));
  return `{"call_usage":{${usage.join(',')}},"unfinished_call_ids":${unfinished}}`;
}

function limitExceeded(calls: bigint, limit: number): Error {
  const msg = `The request touches ${calls} calls, which is more than its limit of ${limit}`;
  return apiErrors.invalid([{ loc: ['body', 'limit'], msg, type: 'limit_exceeded' }]);
}

/** Writes what each model used, models in alphabetical order; one that used nothing is left out. */
function toJson(usage: Usage): string {
  const models = [...usage.entries()].filter(([, sums]) => !isNothing(sums));
  const ordered = sortByCodePoint(models.map(([model]) => model));
  const entries = ordered.map((model) => {
    const sums = usage.get(model);
    return sums === undefined ? '' : `${JSON.stringify(model)}:${toModelJson(sums)}`;
  });
  return `{${entries.join(',')}}`;
}

function isNothing(sums: ModelUsage): boolean {
  const { requests, promptTokens, completionTokens, totalTokens } = sums;
  return requests === 0n && promptTokens === 0n && completionTokens === 0n && totalTokens === 0n;
}

function toModelJson(sums: ModelUsage): string {
  return (
    `{"requests":${sums.requests},"prompt_tokens":${sums.promptTokens}` +
    `,"completion_tokens":${sums.completionTokens},"total_tokens":${sums.totalTokens}` +
    `,"prompt_tokens_total_cost":${toCostJson(sums.promptCost)}` +
    `,"completion_tokens_total_cost":${toCostJson(sums.completionCost)}}`
  );
}

function toCostJson(cost: Money | null): string {
  return cost === null ? 'null' : JSON.stringify(toNumber(cost));
}

/** Sorts as Python does and ClickHouse's bytes do; JavaScript by itself puts U+E000 behind U+10000. */
function sortByCodePoint(texts: readonly string[]): string[] {
  return texts
    .map((text) => ({ text, bytes: Buffer.from(text) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ text }) => text);
}
