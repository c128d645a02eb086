import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import type { ClickHouseClient } from '@clickhouse/client';

import type { EmbeddedServer } from '../../src/clickhouse/embedded/embedded-server.ts';
import { largeSeries, pageOfRoots, project, type Scale, toCallId } from '../project/scale.ts';
import { readRows } from '../support/bench-client.ts';
import { type ServiceProcess, startServiceProcess } from '../support/processes.ts';
import { quantile, round, toRatio } from '../support/statistics.ts';
import { requestUsage } from '../support/usage-api.ts';
import type { LoadOrder, LoadResult } from './load-process.ts';

/** Times in milliseconds, throughput in pages per second. */
export interface LoadReport {
  readonly clients: number;
  readonly seconds: number;
  readonly requests: number;
  readonly errors: number;
  readonly first_errors: readonly string[];
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly p99_to_p50: number | null;
  readonly per_second: number;
  readonly floor_per_second: number;
  readonly throughput_to_floor: number | null;
  /** Time from the disconnect of a client until ClickHouse ran its query no longer. */
  readonly hang_up_freed_ms: number | null;
  /** Status of a request beyond the time limit, and time from its response until ClickHouse ran its query no longer. */
  readonly timeout_status: number;
  readonly timeout_freed_ms: number | null;
  /** Growth of ClickHouse's memory from before that request until its query had ended. */
  readonly timeout_kept_mb: number;
}

const clients = 32;

/** Measures concurrent requests for pages of 50 roots, in turns with flat sums of the same pages; then two aborts. */
export async function measureLoad(
  server: EmbeddedServer,
  service: ServiceProcess,
  client: ClickHouseClient,
  scale: Scale,
  dataDir: string,
): Promise<LoadReport> {
  const { ours, floor } = await loadInTurns(server, service, scale);
  return {
    clients,
    seconds: scale.loadSeconds,
    ...toThroughput(ours, floor),
    hang_up_freed_ms: await measureDisconnect(service, client),
    ...(await measureTimeout(server, client, dataDir)),
  };
}

type LoadResults = Readonly<Record<'floor' | 'ours', readonly LoadResult[]>>;

async function loadInTurns(
  server: EmbeddedServer,
  service: ServiceProcess,
  scale: Scale,
): Promise<LoadResults> {
  const pages = Array.from({ length: 24 }, (_, page) =>
    pageOfRoots(scale, page % 2 === 0 ? 'own' : 'sdk', 50, Math.floor(page / 2)),
  );
  const seconds = scale.loadSeconds / scale.loadRounds;
  const order = { address: server.address, serviceUrl: service.url, clients, seconds, pages };
  const results: Record<keyof LoadResults, LoadResult[]> = { floor: [], ours: [] };
  for (let turn = 0; turn < scale.loadRounds; turn += 1) {
    for (const strategy of ['floor', 'ours'] as const) {
      results[strategy].push(await runLoadProcess({ ...order, strategy }));
    }
  }
  return results;
}

async function runLoadProcess(order: LoadOrder): Promise<LoadResult> {
  const program = fileURLToPath(new URL('load-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(order));
  return JSON.parse(await text(child.stdout)) as LoadResult;
}

function toThroughput(ours: readonly LoadResult[], flatSum: readonly LoadResult[]) {
  const times = ours.flatMap((result) => result.times);
  const [p50, p99] = [round(quantile(times, 0.5), 1), round(quantile(times, 0.99), 1)];
  const [perSecond, flatSumPerSecond] = [toRate(ours), toRate(flatSum)];
  return {
    requests: times.length,
    errors: ours.reduce((sum, { errors }) => sum + errors, 0),
    first_errors: ours.flatMap(({ firstErrors }) => firstErrors).slice(0, 3),
    p50_ms: p50,
    p99_ms: p99,
    p99_to_p50: toRatio(p99, p50),
    per_second: perSecond,
    floor_per_second: flatSumPerSecond,
    throughput_to_floor: toRatio(perSecond, flatSumPerSecond),
  };
}

function toRate(results: readonly LoadResult[]): number {
  const count = results.reduce((sum, { times }) => sum + times.length, 0);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return round(count / seconds, 1);
}

/** Requests the large trace and disconnects as soon as ClickHouse runs the query. */
async function measureDisconnect(
  service: ServiceProcess,
  client: ClickHouseClient,
): Promise<number | null> {
  const controller = new AbortController();
  const request = requestUsage(service.url, project, [toCallId(largeSeries.large, 0, 0)], {
    signal: controller.signal,
  }).catch(() => undefined);
  const startedMs = await waitForUsageQueries(client, (count) => count > 0);
  controller.abort();
  await request;
  return startedMs === null ? null : await waitForUsageQueries(client, (count) => count === 0);
}

/** Requests the large trace from a service with a short QUERY_TIMEOUT_MS. */
async function measureTimeout(
  server: EmbeddedServer,
  client: ClickHouseClient,
  dataDir: string,
): Promise<Pick<LoadReport, 'timeout_status' | 'timeout_freed_ms' | 'timeout_kept_mb'>> {
  const service = await startServiceProcess(server, dataDir, { QUERY_TIMEOUT_MS: '100' });
  try {
    const beforeMb = await readTrackedMb(client);
    const { status } = await requestUsage(service.url, project, [
      toCallId(largeSeries.large, 0, 0),
    ]);
    const freedMs = await waitForUsageQueries(client, (count) => count === 0);
    const keptMb = (await readTrackedMb(client)) - beforeMb;
    return { timeout_status: status, timeout_freed_ms: freedMs, timeout_kept_mb: keptMb };
  } finally {
    await service.stop();
  }
}

/**
 * Waits for a number of running usage statements; the names of these statements, and their query ids, start with
 * `usage_`.
 * @returns how long it took, in milliseconds; null after 10 s
 */
async function waitForUsageQueries(
  client: ClickHouseClient,
  isReached: (count: number) => boolean,
): Promise<number | null> {
  const startedAt = performance.now();
  const query = `SELECT count() AS n FROM system.processes WHERE startsWith(query_id, 'usage_')`;
  while (performance.now() - startedAt < 10_000) {
    if (isReached(await readNumber(client, query))) return round(performance.now() - startedAt, 0);
  }
  return null;
}

/** Memory that ClickHouse uses, in MiB. */
async function readTrackedMb(client: ClickHouseClient): Promise<number> {
  const query = `SELECT value AS n FROM system.metrics WHERE metric = 'MemoryTracking'`;
  return Math.round((await readNumber(client, query)) / 1_048_576);
}

async function readNumber(client: ClickHouseClient, query: string): Promise<number> {
  const [row] = await readRows<{ n: string }>(client, query);
  return Number(row?.n);
}
