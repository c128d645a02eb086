import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import fc from 'fast-check';
import { expect, inject, onTestFinished, test } from 'vitest';

import { openClient } from '../../../src/clickhouse/client/open-client.ts';
import { fillMergedCalls } from '../../../src/clickhouse/schema/fill-merged-calls.ts';
import { migrate } from '../../../src/clickhouse/schema/migrate.ts';
import { migrationsFolder, readMigrations } from '../../../src/clickhouse/schema/migrations.ts';
import { forestSeeds } from '../../oracle/forests/forest-seed.ts';
import { canBeInserted, toPartRow } from '../../oracle/forests/part-row.ts';
import { planForest, type Part } from '../../oracle/forests/plan-forest.ts';
import { answer } from '../../oracle/oracle.ts';
import { readAnswer, toComparable } from '../../oracle/read-answer.ts';
import { openTestClickHouse, type TestClickHouse } from '../../support/clickhouse/clickhouse.ts';
import { openTestCluster, type TestCluster } from '../../support/clickhouse/cluster.ts';
import { openService, useService, type TestService } from '../../support/http/service.ts';
import { nodeArgumentsOf } from '../../support/package/npm-command.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { silentLog } from '../../support/silent-log.ts';
import { promptTokens, promptUsage, toProject } from '../../support/usage-client.ts';

const seed = 20_261_127;
const chunkRows = 20;

const migrations = readMigrations(migrationsFolder);
/** Those of the release that did not know `merged_calls`. */
const earlier = migrations.filter(({ name }) => name < '0007');

/** All columns that answers read, as text, since `open_id` is not UTF-8. */
const selectMerged = `
  SELECT toString(tuple(* EXCEPT (checksum, open_id))) AS columns, hex(open_id) AS open_id
  FROM merged_calls FINAL ORDER BY project_id, trace_id, key`;

/** A forest's project and all its parts. */
interface Forest {
  readonly project: string;
  readonly parts: readonly Part[];
}

function toForests(count: number): Forest[] {
  return fc.sample(forestSeeds, { seed, numRuns: count }).map((forest, index) => {
    const calls = forest.calls.map((call) => ({ ...call, inOtherProject: false }));
    const { phases } = planForest({ ...forest, calls }, `fill-${index}`);
    const requests = phases.flatMap(({ requests }) => requests);
    // The tables of the earlier release have no columns for spans.
    const parts = requests
      .flatMap(({ parts }) => parts)
      .filter((part) => canBeInserted(part) && !part.part.has('span'));
    return { project: `forest-fill-${index}/one`, parts };
  });
}

/** A database of the earlier release, which is dropped when the test ends. */
async function useEarlierDatabase(): Promise<TestClickHouse> {
  const opened = await openTestClickHouse({}, { migrations: earlier });
  onTestFinished(() => opened.close());
  await opened.clickhouse.close();
  return opened;
}

const limits = { maxOpenConnections: 4, timeoutMs: 60_000, compression: false };

/** A client as the one that applies migrations; it is closed when the test ends. */
function useClient(database: string): ReturnType<typeof openClient> {
  const client = openClient({ ...inject('clickhouse'), database }, limits);
  onTestFinished(() => client.close());
  return client;
}

/** Inserts what the database has into a new one, so that its view sees every row. */
async function useReference(opened: TestClickHouse): Promise<TestClickHouse> {
  const reference = await openTestClickHouse();
  onTestFinished(() => reference.close());
  await reference.command(`INSERT INTO call_parts SELECT * FROM ${opened.database}.call_parts`);
  return reference;
}

/** Starts what `npm start` runs on the database, and kills it once it has filled some chunks. */
async function startAndKill(environment: Readonly<Record<string, string>>): Promise<void> {
  const service = spawn(process.execPath, nodeArgumentsOf('start'), {
    cwd: new URL('../../../', import.meta.url),
    env: { PATH: process.env['PATH'], PORT: '0', API_KEYS: 'key', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void service.kill('SIGKILL'));
  await untilChunks(service, 5);
  service.kill('SIGKILL');
  await once(service, 'exit');
}

async function untilChunks(service: ChildProcess, count: number): Promise<void> {
  let output = '';
  for await (const chunk of service.stdout!.iterator({ destroyOnReturn: false })) {
    output += (chunk as Buffer).toString();
    if (output.split('filling a new table').length > count) return;
  }
  throw new Error(`The service ended: ${output}`);
}

function fillLines(service: TestService): Record<string, unknown>[] {
  return service.logLines().filter(({ table }) => table === 'merged_calls');
}

test('a fill that is killed and resumed by one of two services, while parts arrive, equals one at once, and answers are right', async () => {
  const opened = await useEarlierDatabase();
  const forests = toForests(100);
  const parts = forests.flatMap(({ parts }) => parts);
  const half = Math.ceil(parts.length / 2);
  await opened.insert('call_parts', parts.slice(0, half).map(toPartRow));
  const batches = Array.from({ length: Math.ceil((parts.length - half) / 50) }, (_, index) =>
    parts.slice(half + 50 * index, half + 50 * (index + 1)),
  );
  const insertNext = async (): Promise<void> => {
    const batch = batches.shift();
    if (batch !== undefined) await opened.insert('call_parts', batch.map(toPartRow));
  };

  const environment = { ...opened.environment, FILL_CHUNK_ROWS: String(chunkRows) };
  const killed = startAndKill(environment);
  while (batches.length > 4) await insertNext();
  await killed;
  const progress = await opened.query<{ rows: string; is_complete: number }>(
    'SELECT rows, is_complete FROM fill_progress ORDER BY rows DESC',
  );
  expect(progress.length).toBeGreaterThanOrEqual(4);
  expect(progress.filter(({ is_complete }) => is_complete === 1)).toEqual([]);

  const services = [await useService(environment), await useService(environment)];
  const ready = Promise.all(services.map((service) => service.ready));
  while (batches.length > 0) await insertNext();
  await ready;
  const lines = services.map(fillLines).filter((each) => each.length > 0);
  expect(lines.map(([first]) => Number(first?.['rows']))).toEqual([Number(progress[0]?.rows)]);
  expect(lines[0]?.at(-1)).toMatchObject({ msg: 'a new table was filled' });

  const reference = await useReference(opened);
  const expected = await reference.query(selectMerged);
  expect(expected.length).toBeGreaterThan(1_000);
  expect(await opened.query(selectMerged)).toEqual(expected);
  for (const { project, parts } of forests.slice(0, 10)) {
    const callIds = [...new Set(parts.map(({ part }) => part.get('id') as string))];
    const body = { project_id: project, call_ids: callIds };
    const { status, text } = await services[0]!.send('/calls/usage', { body });
    const request = { project, callIds, includeCosts: false, limit: 10_000n };
    expect(toComparable(readAnswer(status, text))).toBe(toComparable(answer(parts, request)));
  }
}, 300_000);

test('a row of an insert that began before the view existed is filled, too', async () => {
  const opened = await useEarlierDatabase();
  const client = useClient(opened.database);
  // Its blocks of one row take a tenth of a second each, and are stored together at its end.
  const slow = opened.command(`
    INSERT INTO call_parts (project_id, id, kind, trace_id, started_at)
    SELECT 'p/slow', toString(number + sleepEachRow(0.1)), 'start', 'trace', now64(6) FROM numbers(30)
    SETTINGS max_block_size = 1`);
  await expect
    .poll(async () => {
      const rows = await opened.query(
        "SELECT query_id FROM system.processes WHERE query_kind = 'Insert' AND query LIKE '%p/slow%'",
      );
      return rows.length;
    })
    .toBe(1);
  await migrate(client, opened.database, migrations, silentLog);
  await fillMergedCalls(client, opened.database, { chunkRows, log: silentLog });
  await slow;
  expect(await opened.query('SELECT count() AS calls FROM merged_calls FINAL')).toEqual([
    { calls: '30' },
  ]);
});

test('positions are kept where names are not UTF-8, and a database that was created empty is complete at once', async () => {
  const opened = await useEarlierDatabase();
  const client = useClient(opened.database);
  await opened.command(`
    INSERT INTO call_parts (project_id, id, kind, trace_id, started_at)
    SELECT '\\xFF', toString(number), 'start', unhex(concat('80', hex(number))), now64(6) FROM numbers(100)`);
  await migrate(client, opened.database, migrations, silentLog);
  await fillMergedCalls(client, opened.database, { chunkRows, log: silentLog });
  expect(await opened.query('SELECT count() AS calls FROM merged_calls FINAL')).toEqual([
    { calls: '100' },
  ]);

  const created = await openTestClickHouse();
  onTestFinished(() => created.close());
  expect(
    await created.query('SELECT toUInt32(rows) AS rows, is_complete FROM fill_progress'),
  ).toEqual([{ rows: 0, is_complete: 1 }]);
});

test('each node of a cluster fills its own table', async () => {
  const cluster = await openTestCluster();
  onTestFinished(() => cluster.stop());
  await prepareEarlierCluster(cluster);
  const callIds = Array.from({ length: 200 }, (_, index) => `call-${index}`);
  await cluster.insert(
    'call_parts',
    callIds.map((id) => completeRow('team/fill', { id, trace: id, usage: promptUsage(7) })),
  );
  const service = await openService({ ...cluster.environment, FILL_CHUNK_ROWS: '10' });
  onTestFinished(() => service.close());
  await service.ready;
  const answers = await toProject(service, 'team/fill').queryUsage(callIds);
  expect(callIds.map((id) => promptTokens(answers, id))).toEqual(callIds.map(() => 7));
  const ofNodes = await Promise.all(
    [0, 1].map((node) =>
      cluster.query<{ calls: string; chunks: string }>(
        node,
        `SELECT (SELECT count() FROM calls_usage_local.merged_calls FINAL) AS calls,
           (SELECT count() FROM calls_usage_local.fill_progress) AS chunks`,
      ),
    ),
  );
  const calls = ofNodes.map(([row]) => Number(row?.calls));
  expect(calls[0]! + calls[1]!).toBe(callIds.length);
  for (const [row] of ofNodes) expect(Number(row?.chunks)).toBeGreaterThan(5);
}, 120_000);

/** What migration 8 creates, and its record. */
const created = [
  'DROP VIEW merged_calls_from_parts SYNC',
  'DROP VIEW merged_calls_from_backfill SYNC',
  'DROP TABLE merged_calls SYNC',
  'DROP TABLE call_parts_backfill SYNC',
  'DROP TABLE fill_progress SYNC',
  "ALTER TABLE schema_migrations DELETE WHERE name >= '0008' SETTINGS mutations_sync = 2",
];

/** What a new database does not have any more. */
const createCalls = migrations
  .flatMap(({ statements }) => statements)
  .filter((sql) =>
    /^CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS (calls|calls_from_parts)\b/.test(sql),
  )
  .slice(-2);

/** Lets a service create all tables, and removes from every node what the earlier release did not have. */
async function prepareEarlierCluster({ environment, addresses }: TestCluster): Promise<void> {
  const service = await openService(environment);
  await service.ready;
  await service.close();
  for (const address of addresses) {
    const client = openClient({ ...address, database: 'calls_usage_local' }, limits);
    for (const query of [...createCalls, ...created]) await client.command({ query });
    await client.close();
  }
}
