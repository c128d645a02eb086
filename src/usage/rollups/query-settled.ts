import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import { runInSlices, type Steps, toSet } from '../../slices/run-in-slices.ts';
import {
  locateCalls,
  type QueriedRows,
  readPrices,
  type StatementStep,
  type UsageQuery,
  type UsageSources,
} from '../query/query-usage.ts';
import type { LocatedCall } from '../query/usage-row.ts';
import { queryGroupRollups } from './query-group-rollups.ts';
import {
  findRootRollups,
  fromRootRollups,
  type RootRollups,
  type SettledRows,
} from './query-root-rollups.ts';

/** What rollups answer of a query, and the calls that have to be queried live. */
export interface SettledUsage {
  readonly found: QueriedRows[];
  readonly live: readonly LocatedCall[];
  readonly knownCallIds: readonly string[];
  readonly prices: PriceSnapshot | null;
}

/** What the steps of a query have in common. */
interface Context extends Pick<StatementStep, 'clickhouse' | 'query'> {
  readonly options: ReadOptions & { readonly signal: AbortSignal };
  readonly snapshots: UsageSources['prices'];
}

/**
 * Answers from rollups what they can answer, and locates the other calls. Rollups of roots are asked first, since that takes
 * the least work; then, for traces with several top calls and those in which a price begins, groups of calls.
 * @throws as `ClickHouse.read`
 */
export async function querySettled(
  { clickhouse, prices: snapshots, rulesVersion }: UsageSources,
  query: UsageQuery,
  options: Context['options'],
): Promise<SettledUsage> {
  const context = { clickhouse, query, options, snapshots };
  const version = query.is_explained ? null : rulesVersion;
  const { settled, others, changedTraceIds, prices } =
    version === null || query.located !== undefined
      ? await locateAll(context)
      : await answerRoots(context, version);
  const found: QueriedRows[] = settled.traceIdOf.size > 0 ? [settled] : [];
  const knownCallIds = [...settled.traceIdOf.keys(), ...others.map(({ call_id }) => call_id)];
  const unchanged = others.filter(({ trace_id }) => !changedTraceIds.has(trace_id));
  if (version === null || unchanged.length === 0)
    return { found, live: others, knownCallIds, prices };
  const groups = await queryGroupRollups({ ...context, calls: unchanged, prices }, version);
  found.push(groups);
  const changed = others.filter(({ trace_id }) => changedTraceIds.has(trace_id));
  return { found, live: [...groups.live, ...changed], knownCallIds, prices };
}

/** What rollups of roots answer, and where the other calls are. */
interface AnsweredRoots extends Pick<RootRollups, 'changedTraceIds'> {
  readonly settled: SettledRows;
  readonly others: readonly LocatedCall[];
  readonly prices: PriceSnapshot | null;
}

async function locateAll(context: Context): Promise<AnsweredRoots> {
  const { call_ids, located } = context.query;
  const [others, prices] = await Promise.all([
    located ?? locate(context, call_ids),
    readCurrentPrices(context),
  ]);
  return { settled: nothing, others, changedTraceIds: new Set(), prices };
}

const nothing: SettledRows = { rows: [], unfinishedCallIds: [], traceIdOf: new Map() };

/**
 * Answers roots from their rollups, and locates the other calls. A root is among these if another requested call is in its
 * trace: a call that is inside both then counts once towards the limit.
 */
async function answerRoots(context: Context, rulesVersion: string): Promise<AnsweredRoots> {
  const { signal } = context.options;
  const [roots, prices] = await Promise.all([
    findRootRollups(context, rulesVersion),
    readCurrentPrices(context),
  ]);
  const { valid, changedTraceIds } = roots;
  const settled = await runInSlices(fromRootRollups(valid, prices), signal);
  const ids = await runInSlices(without(context.query.call_ids, settled.traceIdOf), signal);
  const others = await locate(context, ids);
  const traceIds = await runInSlices(toSet(others.map(({ trace_id }) => trace_id)), signal);
  const alone = new Map([...valid].filter(([, { trace_id }]) => !traceIds.has(trace_id)));
  const shared = [...settled.traceIdOf.keys()].filter((id) => !alone.has(id));
  if (shared.length === 0) return { settled, others, changedTraceIds, prices };
  return {
    settled: await runInSlices(fromRootRollups(alone, prices), signal),
    others: [...others, ...(await locate(context, shared))],
    ...{ changedTraceIds, prices },
  };
}

/** To be called after the first statement about calls is sent, which takes longer: so that is not delayed by this one. */
async function readCurrentPrices({
  snapshots,
  query,
  options,
}: Context): Promise<PriceSnapshot | null> {
  return await readPrices(snapshots, query, options.signal);
}

async function locate(
  { clickhouse, query, options }: Context,
  call_ids: readonly string[],
): Promise<LocatedCall[]> {
  return call_ids.length === 0
    ? []
    : await locateCalls(clickhouse, { ...query, call_ids }, options);
}

function* without(ids: readonly string[], known: ReadonlyMap<string, unknown>): Steps<string[]> {
  const others: string[] = [];
  for (const id of ids) {
    if (!known.has(id)) others.push(id);
    yield;
  }
  return others;
}
