/**
 * `npm run bench:migration`: how long an upgrade of a database of the previous release takes with 5 million calls
 * (`--quick`: 300,000), while a pipeline goes on inserting; and whether every call is then in the new table, with its usage.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClickHouseClient } from '@clickhouse/client';
import { pino } from 'pino';

import type { EmbeddedServer } from '../src/clickhouse/embedded/embedded-server.ts';
import { prepareDatabase, readSchema } from '../src/clickhouse/schema/prepare-database.ts';
import { fillProject } from './project/fill-project.ts';
import { fullScale, pageOfRoots, project, quickScale, type Scale } from './project/scale.ts';
import { openBenchClient, readRows } from './support/bench-client.ts';
import { readProcessorSeconds, startServer, startServiceProcess } from './support/processes.ts';
import { refuseFailure, requestUsage } from './support/usage-api.ts';

/** The first migration that the previous release did not have. */
const firstNewMigration = '0007';

const scale: Scale = {
  ...(process.argv.includes('--quick') ? quickScale : fullScale),
  // These rows would be no other work than those of the mixed traces.
  ...{ largeTrace: 1_000, evaluation: 1_000, randomTraces: 0, otelTraces: 0 },
};

/** The pipeline inserts traces of this many calls, each with this many prompt tokens, ten traces at a time. */
const liveProject = 'bench/live';
const [callsPerTrace, tracesPerInsert, promptTokens] = [100, 10, 7];

await main();

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-bench-'));
  const server = await startServer(dataDir);
  const client = openBenchClient(server.address);
  try {
    await createPreviousDatabase(server);
    await fillProject(client, scale, false);
    await upgrade(server, dataDir, client);
  } finally {
    await client.close();
    await server.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function createPreviousDatabase(server: EmbeddedServer): Promise<void> {
  const schema = readSchema();
  const migrations = schema.migrations.filter(({ name }) => name < firstNewMigration);
  const options = {
    schema: { ...schema, migrations },
    databaseEngine: '',
    payloadRetentionDays: 0,
    fillChunkRows: 1,
    log: pino({ level: 'silent' }),
  };
  const address = { ...server.address, database: 'calls_usage' };
  await prepareDatabase(address, options, new AbortController().signal);
}

async function upgrade(
  server: EmbeddedServer,
  dataDir: string,
  client: ClickHouseClient,
): Promise<void> {
  const stopping = new AbortController();
  const inserting = insertUntil(client, stopping.signal);
  const startedAt = performance.now();
  const processorBefore = await readProcessorSeconds(server.processId);
  const service = await startServiceProcess(server, dataDir);
  const seconds = (performance.now() - startedAt) / 1_000;
  const processorSeconds = (await readProcessorSeconds(server.processId)) - processorBefore;
  stopping.abort();
  const { traces, slowestMs } = await inserting;
  const counts = await compareTables(client);
  console.log(
    `${counts.calls} calls: ready after ${seconds.toFixed(1)} s, of ClickHouse ${processorSeconds.toFixed(0)} s of processor time; ` +
      `meanwhile ${traces * callsPerTrace} calls were inserted, the slowest insert of ${callsPerTrace * tracesPerInsert} took ` +
      `${slowestMs.toFixed(0)} ms; ${counts.different} calls differ from call_parts`,
  );
  const wrong = await countWrongAnswers(service.url, traces);
  console.log(`${wrong.requested} roots requested, ${wrong.wrong} wrong answers`);
  await service.stop();
  if (Number(counts.different) + wrong.wrong > 0) process.exitCode = 1;
}

/** Inserts traces as a pipeline of the previous release would, without pause. */
async function insertUntil(client: ClickHouseClient, signal: AbortSignal) {
  let [traces, slowestMs] = [0, 0];
  while (!signal.aborted) {
    const startedAt = performance.now();
    await client.command({
      query: `
        INSERT INTO call_parts (project_id, id, kind, trace_id, parent_id, started_at, ended_at, summary_dump)
        SELECT {project:String}, toId(trace, call), 'whole', toString(trace), if(call = 0, '', toId(trace, 0)),
          toDateTime64('2026-06-01 00:00:00', 6, 'UTC') + INTERVAL call MILLISECOND AS started, started,
          '{"usage":{"gpt-4o":{"requests":1,"prompt_tokens":${promptTokens}}}}'
        FROM (
          SELECT {first:UInt64} + intDiv(number, ${callsPerTrace}) AS trace, number % ${callsPerTrace} AS call
          FROM numbers(${callsPerTrace * tracesPerInsert}))`.replaceAll(
        /toId\(trace, (\w+)\)/g,
        (_, call: string) => `concat(toString(trace), '-', leftPad(toString(${call}), 3, '0'))`,
      ),
      query_params: { project: liveProject, first: traces },
    });
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    traces += tracesPerInsert;
  }
  return { traces, slowestMs };
}

/** How many calls there are, and of how many `merged_calls` has other usage than `call_parts`, or none. */
async function compareTables(client: ClickHouseClient) {
  const [row] = await readRows<{ calls: string; different: string }>(
    client,
    `SELECT count() AS calls, countIf(in_parts != 1 OR in_merged != 1 OR usage_of_parts != usage_of_merged) AS different
     FROM (
       SELECT key, sum(is_part) AS in_parts, sum(NOT is_part) AS in_merged,
         maxIf(usage_hash, is_part) AS usage_of_parts, maxIf(usage_hash, NOT is_part) AS usage_of_merged
       FROM (
         SELECT sipHash128(project_id, trace_id, reinterpretAsUInt128(sipHash128(trace_id, id))) AS key, 1 AS is_part,
           sipHash64(max(usage_fields)) AS usage_hash
         FROM call_parts FINAL GROUP BY project_id, trace_id, id
         UNION ALL
         SELECT sipHash128(project_id, trace_id, key), 0, sipHash64(usage) FROM merged_calls FINAL)
       GROUP BY key)`,
  );
  if (row === undefined) throw new Error('no row');
  return row;
}

async function countWrongAnswers(serviceUrl: string, traces: number) {
  const ids = Array.from({ length: Math.min(traces, 1_000) }, (_, index) => `${index}-000`);
  const response = await requestUsage(serviceUrl, liveProject, ids);
  refuseFailure(response);
  const { call_usage } = JSON.parse(response.text) as {
    call_usage: Record<string, Record<string, { prompt_tokens: number }>>;
  };
  const isRight = (id: string): boolean =>
    call_usage[id]?.['gpt-4o']?.prompt_tokens === callsPerTrace * promptTokens;
  const page = pageOfRoots(scale, 'own', 50);
  refuseFailure(await requestUsage(serviceUrl, project, page));
  return { requested: ids.length, wrong: ids.filter((id) => !isRight(id)).length };
}
