import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { openTestClickHouse } from '../../support/clickhouse/clickhouse.ts';
import { fixture } from '../../support/fixtures.ts';
import {
  basicAuthorization,
  testKey,
  type TestService,
  useService,
} from '../../support/http/service.ts';
import { readMetrics, valueOf } from '../../support/http/metrics.ts';
import { openTcpProxy } from '../../support/http/tcp-proxy.ts';
import { useTcpClient } from '../../support/http/tcp-client.ts';

const projects = 40;
const callsPerProject = 2_000;

const chainLength = 200_000;

/** With it a project has more than 1 MB of CSV, and all together more than the buffers of both sockets hold. */
const modelLength = 400;

const clickhouse = fixture(async () => {
  const opened = await openTestClickHouse();
  await opened.command(
    `INSERT INTO call_parts (project_id, id, kind, trace_id, started_at, ended_at, summary_dump)
     SELECT concat('large/p', toString(number % {projects: UInt32})), concat('call-', toString(number)), 'whole',
       concat('trace-', toString(number % {projects: UInt32})), toDateTime64('2026-06-01 00:00:00', 6, 'UTC'),
       toDateTime64('2026-06-01 00:00:01', 6, 'UTC'),
       concat('{"usage":{"', leftPad(toString(number), {modelLength: UInt32}, 'm'), '":{"requests":1,"prompt_tokens":1}}}')
     FROM numbers({projects: UInt32} * {callsPerProject: UInt32})`,
    { projects, callsPerProject, modelLength },
  );
  // SDKs roll up: usage of such a chain is found in many steps.
  await opened.command(
    `INSERT INTO call_parts (project_id, id, kind, trace_id, parent_id, started_at, ended_at, attributes_dump, summary_dump)
     SELECT 'slow/chain', concat('call-', toString(number)), 'whole', 'trace',
       if(number = 0, '', concat('call-', toString(number - 1))),
       toDateTime64('2026-06-01 00:00:00', 6, 'UTC') + INTERVAL number MILLISECOND, now64(6),
       '{"weave":{"source":"python-sdk"}}', '{"usage":{"gpt-4o":{"requests":1,"prompt_tokens":1}}}'
     FROM numbers({chainLength: UInt32})`,
    { chainLength },
  );
  return opened;
});

const path = '/usage/export?project=large/*&start=2026-06-01&end=2026-06-02';
const settings = { ROLLUPS: 'false' };

function toRequest(path: string): string {
  const authorization = basicAuthorization(testKey);
  return `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`;
}

/** Begins to download, and stops reading after the first bytes. */
async function startDownload(url: string) {
  const client = await useTcpClient(url);
  client.socket.write(toRequest(path));
  await once(client.socket, 'data');
  client.socket.pause();
  return client;
}

/** How often the usage of a project was read. */
async function countReads(service: TestService): Promise<number> {
  const name = 'calls_usage_clickhouse_request_duration_seconds_count';
  return valueOf(await readMetrics(service), name, { query: 'stats_usage' }) ?? 0;
}

const disconnected = expect.objectContaining({ msg: 'request', status: 499 }) as unknown;

test('HEAD answers the headers of a file and reads nothing', async () => {
  const service = await useService({ ...clickhouse.environment, ...settings });
  await service.ready;
  const head = await service.send(path, { method: 'HEAD' });
  expect([head.status, head.text, await countReads(service)]).toEqual([200, '', 0]);
  const file = await service.send(path.replace('*', 'p0'));
  expect(await countReads(service)).toBe(1);
  for (const name of ['content-type', 'content-disposition']) {
    expect(head.headers.get(name)).toBe(file.headers.get(name));
  }
  const invalid = await service.send(`${path}&format=xlsx`, { method: 'HEAD' });
  expect(invalid.status).toBe(422);
});

test('projects are read no faster than the client takes the file', async () => {
  const service = await useService({
    ...{ ...clickhouse.environment, ...settings, RESPONSE_STALL_TIMEOUT_MS: '3000' },
  });
  await service.ready;
  const { received } = await startDownload(service.url);
  await expect.poll(() => service.logLines(), { timeout: 30_000 }).toContainEqual(disconnected);
  expect(received()).toContain('"large/p0"');
  const reads = await countReads(service);
  expect(reads).toBeGreaterThan(1);
  expect(reads).toBeLessThan(projects / 2);
});

test('a file that ClickHouse does not finish has no end, and its connection is closed', async () => {
  const target = new URL(clickhouse.environment.CLICKHOUSE_URL);
  const proxy = await openTcpProxy(target);
  onTestFinished(() => proxy.close());
  const url = Object.assign(new URL(target), { port: String(proxy.port) }).href;
  const service = await useService({
    ...{ ...clickhouse.environment, ...settings, CLICKHOUSE_URL: url },
  });
  await service.ready;
  const { socket, received } = await startDownload(service.url);
  await proxy.close();
  const closed = once(socket, 'close');
  socket.resume();
  await closed;
  const text = received();
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(text).toMatch(/\r\ntransfer-encoding: chunked\r\n/i);
  expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  expect(text).not.toContain(`"large/p${projects - 1}"`);
});

test('the query of an export is cancelled in ClickHouse when the client disconnects', async () => {
  const service = await useService({ ...clickhouse.environment, ...settings });
  await service.ready;
  const countRunning = async (): Promise<number> => {
    const [row] = await clickhouse.query<{ count: string }>(
      `SELECT count() AS count FROM system.processes
       WHERE current_database = currentDatabase() AND startsWith(query_id, 'stats_')`,
    );
    return Number(row?.count);
  };
  const client = await useTcpClient(service.url);
  client.socket.write(toRequest('/usage/export?project=slow/chain&start=2026-06-01'));
  await expect.poll(countRunning, { interval: 5 }).toBeGreaterThan(0);
  client.socket.destroy();
  await expect.poll(countRunning, { interval: 5 }).toBe(0);
  await expect.poll(() => service.logLines()).toContainEqual(disconnected);
});
