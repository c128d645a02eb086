import type { ClickHouseClient } from '@clickhouse/client';

import { project } from '../project/scale.ts';
import { readRows } from '../support/bench-client.ts';
import { median, quantile, round, toRatio } from '../support/statistics.ts';
import { refuseFailure } from '../support/usage-api.ts';
import { type Period, waitForQueryLog } from '../usage/query-statistics.ts';
import type { ListRequest } from './list-requests.ts';

/** Medians, but for the p95; the processor time is that of all statements of a request in ClickHouse. */
export interface ListReport {
  readonly name: string;
  readonly title: string;
  readonly floor_ms: number;
  readonly ours_ms: number;
  readonly ours_p95_ms: number;
  readonly floor_processor_ms: number | null;
  readonly ours_processor_ms: number | null;
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

/** Sends a request and its flat sum in turns, so that noise affects both alike. */
export async function measureList(
  client: ClickHouseClient,
  serviceUrl: string,
  request: ListRequest,
  runs: number,
): Promise<ListReport> {
  const traceId = await findTrace(client, request.rootId);
  const times = { floor: [] as number[], ours: [] as number[] };
  const strategies = {
    floor: () => readFloor(client, traceId),
    ours: async () => refuseFailure(await request.send(serviceUrl, traceId)),
  };
  let from = 0;
  for (let run = 0; run < warmUps + runs; run += 1) {
    if (run === warmUps) from = Date.now();
    for (const name of ['floor', 'ours'] as const) {
      const startedAt = performance.now();
      await strategies[name]();
      if (run >= warmUps) times[name].push(performance.now() - startedAt);
    }
  }
  const statements = await readStatements(client, { from, to: Date.now() }, runs);
  return toReport(request, times, statements);
}

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

/** By statement, the median processor time in milliseconds, times how often a request runs it. */
async function readStatements(
  client: ClickHouseClient,
  { from, to }: Period,
  runs: number,
): Promise<ReadonlyMap<string, number>> {
  await waitForQueryLog(client);
  const rows = await readRows<{ name: string; ms: string }>(
    client,
    `SELECT
       log_comment AS name,
       quantile(0.5)(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds'])
         * count() / {runs:UInt32} / 1000 AS ms
     FROM system.query_log
     WHERE type = 'QueryFinish' AND is_initial_query AND log_comment != ''
       AND toUnixTimestamp64Milli(query_start_time_microseconds) BETWEEN {from:Int64} AND {to:Int64}
     GROUP BY name
     HAVING count() >= {runs:UInt32}
     ORDER BY ms DESC`,
    { from, to, runs },
  );
  return new Map(rows.map(({ name, ms }) => [name, round(Number(ms), 1)]));
}

function toReport(
  { name, title }: ListRequest,
  times: Readonly<Record<'floor' | 'ours', readonly number[]>>,
  statements: ReadonlyMap<string, number>,
): ListReport {
  const ofRequest = [...statements].filter(([statement]) => statement !== floorName);
  const processorMs = ofRequest.reduce((sum, [, ms]) => sum + ms, 0);
  const floorMs = statements.get(floorName) ?? null;
  const [floor, ours] = [median(times.floor), median(times.ours)];
  return {
    ...{ name, title, floor_ms: round(floor, 1), ours_ms: round(ours, 1) },
    ours_p95_ms: round(quantile(times.ours, 0.95), 1),
    floor_processor_ms: floorMs,
    ours_processor_ms: ofRequest.length === 0 ? null : round(processorMs, 1),
    ours_to_floor: toRatio(ours, floor),
    processor_to_floor: toRatio(processorMs, floorMs),
    statements: Object.fromEntries(ofRequest),
  };
}
