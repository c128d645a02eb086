import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

import type { ClickHouseClient } from '@clickhouse/client';

import type { EmbeddedServer } from '../src/clickhouse/embedded/embedded-server.ts';
import type { LoadOrder, LoadResult } from './load-client.ts';
import { quantile } from './measure.ts';
import { ratio } from './report.ts';
import { pageOfRoots, project, type Scale } from './scale.ts';
import { askUsage, type ServiceProcess, startServiceProcess } from './servers.ts';

const clients = 32;

/** What {@link measureLoad} found; times in milliseconds, throughput in pages per second. */
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
  /** How long after its client hung up a query was gone from ClickHouse. */
  readonly hang_up_freed_ms: number | null;
  /** The answer to a request that runs too long, and how long after it its query was gone. */
  readonly timeout_status: number;
  readonly timeout_freed_ms: number | null;
  /** What ClickHouse held in memory more than before the request that ran too long, when its query was gone. */
  readonly timeout_kept_mb: number;
}

/** Many dashboards at once: pages of 50 roots, in turns with the flat sum of the same pages. */
export async function measureLoad(
  server: EmbeddedServer,
  service: ServiceProcess,
  client: ClickHouseClient,
  scale: Scale,
  dataDir: string,
): Promise<LoadReport> {
  const pages = Array.from({ length: 24 }, (_, page) =>
    pageOfRoots(scale, page % 2 === 0 ? 'own' : 'sdk', 50, Math.floor(page / 2)),
  );
  const order = { address: server.address, serviceUrl: service.url, clients, pages };
  const seconds = scale.loadSeconds / scale.loadRounds;
  const results: Record<'floor' | 'ours', LoadResult[]> = { floor: [], ours: [] };
  for (let round = 0; round < scale.loadRounds; round += 1) {
    for (const way of ['floor', 'ours'] as const) {
      results[way].push(await runLoadClient({ ...order, way, seconds }));
    }
  }
  const times = results.ours.flatMap((result) => result.times);
  const [perSecond, floorPerSecond] = [toRate(results.ours), toRate(results.floor)];
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  return {
    clients,
    seconds: scale.loadSeconds,
    requests: times.length,
    errors: results.ours.reduce((sum, { errors }) => sum + errors, 0),
    first_errors: results.ours.flatMap(({ firstErrors }) => firstErrors).slice(0, 3),
    p50_ms: p50,
    p99_ms: p99,
    p99_to_p50: ratio(p99, p50),
    per_second: perSecond,
    floor_per_second: floorPerSecond,
    throughput_to_floor: ratio(perSecond, floorPerSecond),
    hang_up_freed_ms: await hangUp(service, client),
    ...(await runTooLong(server, client, dataDir)),
  };
}

function toRate(results: readonly LoadResult[]): number {
  const count = results.reduce((sum, { times }) => sum + times.length, 0);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return Math.round((count / seconds) * 10) / 10;
}

async function runLoadClient(order: LoadOrder): Promise<LoadResult> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/load-client.ts'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(order));
  return JSON.parse(await text(child.stdout)) as LoadResult;
}

/** Asks for the large trace and hangs up as soon as ClickHouse works at it. */
async function hangUp(service: ServiceProcess, client: ClickHouseClient): Promise<number | null> {
  const controller = new AbortController();
  const asked = askUsage(service.url, project, ['large-0'], { signal: controller.signal }).catch(
    () => undefined,
  );
  const began = await waitForQueries(client, (count) => count > 0);
  controller.abort();
  await asked;
  return began === null ? null : await waitForQueries(client, (count) => count === 0);
}

/** Asks a service with a short QUERY_TIMEOUT_MS for the large trace. */
async function runTooLong(
  server: EmbeddedServer,
  client: ClickHouseClient,
  dataDir: string,
): Promise<Pick<LoadReport, 'timeout_status' | 'timeout_freed_ms' | 'timeout_kept_mb'>> {
  const service = await startServiceProcess(server, dataDir, {
    QUERY_TIMEOUT_MS: '100',
    LOG_LEVEL: 'info',
  });
  try {
    const before = await readTrackedMb(client);
    const { status } = await askUsage(service.url, project, ['large-0']);
    const freed = await waitForQueries(client, (count) => count === 0);
    const kept = (await readTrackedMb(client)) - before;
    return { timeout_status: status, timeout_freed_ms: freed, timeout_kept_mb: kept };
  } finally {
    await service.stop();
  }
}

/** How long it takes until the number of the service's queries is as wished, in milliseconds; null after 10 s. */
async function waitForQueries(
  client: ClickHouseClient,
  isWished: (count: number) => boolean,
): Promise<number | null> {
  const start = performance.now();
  const query = `SELECT count() AS n FROM system.processes WHERE startsWith(query_id, 'usage_')`;
  while (performance.now() - start < 10_000) {
    if (isWished(await readNumber(client, query))) return Math.round(performance.now() - start);
  }
  return null;
}

async function readTrackedMb(client: ClickHouseClient): Promise<number> {
  const query = `SELECT value AS n FROM system.metrics WHERE metric = 'MemoryTracking'`;
  return Math.round((await readNumber(client, query)) / 1_048_576);
}

async function readNumber(client: ClickHouseClient, query: string): Promise<number> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [row] = await result.json<{ n: string }>();
  return Number(row?.n);
}
