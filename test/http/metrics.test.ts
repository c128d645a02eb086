import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { serviceFixture, usageClientFixture } from '../support/fixtures.ts';
import { type Metric, readMetrics, valueOf } from '../support/http/metrics.ts';
import { basicAuthorization, type TestService, useService } from '../support/http/service.ts';

const requestCount = 'calls_usage_http_request_duration_seconds_count';

/** How much a value has grown since earlier metrics. */
function growthOf(
  before: readonly Metric[],
  after: readonly Metric[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  return (valueOf(after, name, labels) ?? 0) - (valueOf(before, name, labels) ?? 0);
}

describe('GET /metrics', () => {
  test('is text of version 0.0.4, which nobody may cache', async () => {
    const service = await useService();
    const { status, headers, text } = await service.send('/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).toContain('# TYPE process_resident_memory_bytes gauge\n');
  });

  test('a key of the file needs the right metrics, and with it may do nothing else', async () => {
    const service = await openServiceWithKeys([
      { name: 'prometheus', projects: [], rights: ['metrics'] },
      { name: 'others', projects: ['*'], rights: ['read', 'write', 'prices'] },
    ]);
    const statusOf = async (path: string, key: string | null, body?: object) =>
      (await service.send(path, { key, body })).status;
    expect(await statusOf('/metrics', 'prometheus')).toBe(200);
    expect(await statusOf('/metrics', 'others')).toBe(403);
    expect(await statusOf('/metrics', null)).toBe(401);
    expect(await statusOf('/calls/usage', 'prometheus', {})).toBe(403);
    expect(await statusOf('/call/upsert_batch', 'prometheus', { batch: [] })).toBe(403);
  });
});

/** A service whose keys are their own names. */
async function openServiceWithKeys(
  keys: readonly { readonly name: string; readonly [field: string]: unknown }[],
): Promise<TestService> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-metrics-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'keys.json');
  const hashed = keys.map((key) => ({
    ...key,
    sha256: createHash('sha256').update(key.name).digest('hex'),
  }));
  await writeFile(file, JSON.stringify({ keys: hashed }));
  return await useService({ API_KEYS_FILE: file });
}

describe('requests', () => {
  const service = serviceFixture();

  test('are counted by route, method and class of the status', async () => {
    const before = await readMetrics(service);
    await service.send('/server_info');
    await service.send('/server_info');
    await service.send('/calls/usage', { body: {} });
    await service.send('/calls/usage', { method: 'PUT' });
    await service.send('/health');
    await service.send('/v2/team/one/call/start', { body: {} });
    await service.send('/none');
    await service.send('/server_info', { key: 'wrong' });
    const after = await readMetrics(service);
    const grown = (route: string, method: string, status: string) =>
      growthOf(before, after, requestCount, { route, method, status });
    expect(grown('/server_info', 'GET', '2xx')).toBe(2);
    expect(grown('/calls/usage', 'POST', '4xx')).toBe(1);
    expect(grown('/calls/usage', 'other', '4xx')).toBe(1);
    expect(grown('/health', 'GET', '5xx')).toBe(1);
    expect(grown('/v2/:entity/:project/call/start', 'POST', '4xx')).toBe(1);
    expect(grown('unmatched', 'GET', '4xx')).toBe(2);
    // The scrape before these.
    expect(grown('/metrics', 'GET', '2xx')).toBe(1);
  });

  test('are counted as disconnected when the client leaves before its answer', async () => {
    const before = await readMetrics(service);
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const authorization = basicAuthorization('a-key-of-the-tests');
    socket.write(
      'POST /calls/usage HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n' +
        `authorization: ${authorization}\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n`,
    );
    // The service waits for the body.
    await once(socket, 'data');
    socket.destroy();
    const labels = { route: '/calls/usage', method: 'POST', status: 'disconnected' };
    await vi.waitFor(async () => {
      expect(growthOf(before, await readMetrics(service), requestCount, labels)).toBe(1);
    });
  });
});

describe('ClickHouse', () => {
  const client = usageClientFixture();

  test('is up when it answers; its requests and batches are measured', async () => {
    const before = await readMetrics(client.service);
    const project = client.newProject();
    await project.sendCompleteCalls({ id: 'a' }, { id: 'b' }, { id: 'c' });
    await project.queryUsage(['a']);
    const after = await readMetrics(client.service);
    const grown = (name: string, labels?: Readonly<Record<string, string>>) =>
      growthOf(before, after, name, labels);
    expect(valueOf(after, 'calls_usage_clickhouse_up')).toBe(1);
    expect(grown('calls_usage_insert_batch_rows_count')).toBe(1);
    expect(grown('calls_usage_insert_batch_rows_sum')).toBe(3);
    expect(grown('calls_usage_insert_batch_bytes_sum')).toBeGreaterThan(3 * 'a'.length);
    const queries = 'calls_usage_clickhouse_request_duration_seconds_count';
    expect(grown(queries, { query: 'insert_call_parts' })).toBe(1);
    expect(grown(queries, { query: 'locate_calls' })).toBe(1);
    expect(grown(queries, { query: 'ping' })).toBe(1);
  });

  test('is not up when it does not answer, and the failed request is counted', async () => {
    const service = await useService();
    const usage = { project_id: 'team/one', call_ids: ['a'] };
    expect((await service.send('/calls/usage', { body: usage })).status).toBe(503);
    const metrics = await readMetrics(service);
    expect(valueOf(metrics, 'calls_usage_clickhouse_up')).toBe(0);
    const labels = { query: 'root_rollups', error: 'unavailable' };
    expect(valueOf(metrics, 'calls_usage_clickhouse_errors_total', labels)).toBe(1);
  });
});

test('the time that bodies take the event loop is counted', async () => {
  const service = await useService();
  const before = await readMetrics(service);
  await service.send('/calls/usage', { body: { project_id: 'team/one', call_ids: ['a'] } });
  const after = await readMetrics(service);
  expect(growthOf(before, after, 'calls_usage_body_parsing_seconds_total')).toBeGreaterThan(0);
});

test('open connections and the reasons for not being ready are those of the moment', async () => {
  const service = await useService({ MAX_CONNECTIONS: '40' });
  const { hostname, port } = new URL(service.url);
  const openConnections = async () =>
    valueOf(await readMetrics(service), 'calls_usage_open_connections');
  const sockets = Array.from({ length: 10 }, () => connect(Number(port), hostname));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  // The client of the test keeps some more.
  await expect.poll(openConnections).toBeGreaterThan(sockets.length);
  for (const socket of sockets) socket.destroy();
  await expect.poll(openConnections).toBeLessThan(sockets.length);
  const metrics = await readMetrics(service);
  expect(valueOf(metrics, 'calls_usage_max_connections')).toBe(40);
  expect(valueOf(metrics, 'calls_usage_not_ready', { reason: 'starting' })).toBe(1);
  expect(valueOf(metrics, 'calls_usage_not_ready', { reason: 'stopping' })).toBe(0);
});

test('the memory budget, the queues and dropped parts show what the service does', async () => {
  const service = await useService({ MEMORY_BUDGET_MB: '128', MEMORY_BUDGET_PER_KEY_MB: '96' });
  const body = { batch: [{ mode: 'none' }] };
  expect((await service.send('/call/upsert_batch', { body })).status).toBe(200);
  const metrics = await readMetrics(service);
  const mebibyte = 1_048_576;
  const budget = 'calls_usage_memory_budget_bytes';
  expect(valueOf(metrics, budget, { scope: 'total' })).toBe(128 * mebibyte);
  expect(valueOf(metrics, budget, { scope: 'key' })).toBe(96 * mebibyte);
  expect(valueOf(metrics, 'calls_usage_memory_held_bytes', { class: 'ingest' })).toBe(0);
  expect(valueOf(metrics, 'calls_usage_memory_refused_total', { class: 'query' })).toBe(0);
  expect(valueOf(metrics, 'calls_usage_queued_requests', { queue: 'inserts' })).toBe(0);
  expect(valueOf(metrics, 'calls_usage_batches_in_flight', { queue: 'usage' })).toBe(0);
  const dropped = metrics.find(({ name }) => name === 'calls_usage_dropped_parts_total');
  expect(dropped?.samples.map(({ value }) => value)).toEqual([1]);
});
