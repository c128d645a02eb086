import type { ClickHouseClient } from '@clickhouse/client';

import { project } from '../project/scale.ts';
import { readRows } from '../support/bench-client.ts';
import { median, quantile, round, toRatio } from '../support/statistics.ts';
import { liveUser } from '../support/processes.ts';
import { refuseFailure } from '../support/usage-api.ts';
import { type Period, waitForQueryLog } from '../usage/query-statistics.ts';
import type { ServiceUrls } from '../usage/strategies.ts';
import type { ListRequest } from './list-requests.ts';

/**
 * Medians, but for the p95; the processor time is that of all statements of a request in ClickHouse. `live` is the service without
 * rollups: null where it refuses the request, such as lists of too many traces.
 */
export interface ListReport {
  readonly name: string;
  readonly title: string;
  readonly floor_ms: number;
  readonly ours_ms: number;
  readonly ours_p95_ms: number;
  readonly live_ms: number | null;
  readonly floor_processor_ms: number | null;
  readonly ours_processor_ms: number | null;
  readonly live_processor_ms: number | null;
  readonly ours_to_floor: number | null;
  readonly processor_to_floor: number | null;
  /** By statement, the processor time of one request; the largest first. */
  readonly statements: Readonly<Record<string, number>>;
}

const warmUps = 2;
const floorName = 'bench_floor_lists';

/** Of all calls of the project, or of one trace: tokens by trace and model. */
const floorStatement = `
  SELECT
    trace_id, used.model AS model, sum(used.counters[1]) AS requests,
    sum(used.counters[2]) AS prompt, sum(used.counters[3]) AS completion
  FROM merged_calls FINAL ARRAY JOIN usage AS used
  WHERE project_id = {project:String} AND ({trace_id:String} = '' OR trace_id = {trace_id:String}) AND NOT is_deleted
  GROUP BY trace_id, model`;

/** Each may take seconds. */
const maxLiveRuns = 3;

/** Clock times in milliseconds. */
type Times = Readonly<Record<'floor' | 'ours' | 'live', number[]>>;

/** Sends a request to both services and its flat sum to ClickHouse in turns, so that noise affects all alike. */
export async function measureList(
  client: ClickHouseClient,
  urls: ServiceUrls,
  request: ListRequest,
  runs: number,
): Promise<ListReport> {
  const traceId = await findTrace(client, request.rootId);
  const times: Times = { floor: [], ours: [], live: [] };
  const { status } = await request.send(urls.live, traceId);
  const liveRuns = status === 200 ? Math.min(runs, maxLiveRuns) : 0;
  const strategies = {
    floor: () => readFloor(client, traceId),
    ours: async () => refuseFailure(await request.send(urls.ours, traceId)),
    live: async () => refuseFailure(await request.send(urls.live, traceId)),
  };
  for (let run = 0; run < warmUps; run += 1) {
    await strategies.floor();
    await strategies.ours();
  }
  const from = Date.now();
  for (let run = 0; run < runs; run += 1) {
    for (const name of ['floor', 'ours', 'live'] as const) {
      if (name === 'live' && run >= liveRuns) continue;
      const startedAt = performance.now();
      await strategies[name]();
      times[name].push(performance.now() - startedAt);
    }
  }
  const period = { from, to: Date.now() };
  await waitForQueryLog(client);
  const statements = await readStatements(client, period, false, runs);
  const live = liveRuns === 0 ? noStatements : await readStatements(client, period, true, liveRuns);
  return toReport(request, times, statements, live);
}

/** By statement, the processor time of one request in milliseconds. */
type Statements = ReadonlyMap<string, number>;

const noStatements: Statements = new Map();

async function findTrace(client: ClickHouseClient, rootId: string | undefined): Promise<string> {
  if (rootId === undefined) return '';
  const [row] = await readRows<{ trace_id: string }>(
    client,
    `SELECT trace_id FROM call_traces
     WHERE project_id = {project:String} AND key = reinterpretAsUInt128(sipHash128({id:String})) LIMIT 1`,
    { project, id: rootId },
  );
  if (row === undefined) throw new Error(`the project has no call ${rootId}`);
  return row.trace_id;
}

async function readFloor(client: ClickHouseClient, trace_id: string): Promise<void> {
  const result = await client.query({
    query: floorStatement,
    query_params: { project, trace_id },
    format: 'JSONEachRow',
    clickhouse_settings: { log_comment: floorName },
  });
  await result.json();
}

/** The median of each statement, times how often a request runs it. */
async function readStatements(
  client: ClickHouseClient,
  { from, to }: Period,
  isLive: boolean,
  runs: number,
): Promise<Statements> {
  const rows = await readRows<{ name: string; ms: string }>(
    client,
    `SELECT
       log_comment AS name,
       quantile(0.5)(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds'])
         * count() / {runs:UInt32} / 1000 AS ms
     FROM system.query_log
     WHERE type = 'QueryFinish' AND is_initial_query AND log_comment != ''
       AND (user = {liveUser:String}) = {isLive:Bool}
       AND toUnixTimestamp64Milli(query_start_time_microseconds) BETWEEN {from:Int64} AND {to:Int64}
     GROUP BY name
     HAVING count() >= {runs:UInt32}
     ORDER BY ms DESC`,
    { from, to, isLive, liveUser, runs },
  );
  return new Map(rows.map(({ name, ms }) => [name, round(Number(ms), 1)]));
}

function toReport(
  { name, title }: ListRequest,
  times: Times,
  statements: Statements,
  live: Statements,
): ListReport {
  const ofRequest = [...statements].filter(([statement]) => statement !== floorName);
  const oursMs = toSum(ofRequest);
  const floorMs = statements.get(floorName) ?? null;
  const [floor, ours] = [median(times.floor), median(times.ours)];
  return {
    ...{ name, title, floor_ms: round(floor, 1), ours_ms: round(ours, 1) },
    ours_p95_ms: round(quantile(times.ours, 0.95), 1),
    live_ms: times.live.length === 0 ? null : round(median(times.live), 1),
    floor_processor_ms: floorMs,
    ours_processor_ms: oursMs,
    live_processor_ms: toSum([...live]),
    ours_to_floor: toRatio(ours, floor),
    processor_to_floor: toRatio(oursMs, floorMs),
    statements: Object.fromEntries(ofRequest),
  };
}

function toSum(statements: readonly (readonly [name: string, ms: number])[]): number | null {
  if (statements.length === 0) return null;
  const sum = statements.reduce((total, [, ms]) => total + ms, 0);
  return round(sum, 1);
}
