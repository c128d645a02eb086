import { describe, expect, test } from 'vitest';
import { openTcpProxy } from '../support/http/tcp-proxy.ts';
import { clickhouseFixture, serviceFixture } from '../support/fixtures.ts';
import { useService, type TestService } from '../support/http/service.ts';

const probes = ['/livez', '/readyz', '/health'] as const;

/** Status and body of each probe, without a key. */
async function probe(service: TestService): Promise<unknown[]> {
  return await Promise.all(
    probes.map(async (path) => {
      const { status, json } = await service.send(path, { key: null });
      return [path, status, json()];
    }),
  );
}

const ok = { status: 'ok' };

describe('while ClickHouse has never been available', () => {
  const service = serviceFixture();

  test('/livez answers 200, /readyz and /health say "starting"', async () => {
    const starting = { status: 'starting', detail: 'ClickHouse is not available yet.' };
    expect(await probe(service)).toEqual([
      ['/livez', 200, ok],
      ['/readyz', 503, starting],
      ['/health', 503, starting],
    ]);
  });

  test.each(['/readyz', '/health'])('%s has Retry-After', async (path) => {
    const { headers } = await service.send(path);
    expect(headers.get('retry-after')).toBe('1');
  });
});

test('probes follow a ClickHouse that becomes unavailable and available again', async () => {
  const proxy = await openTcpProxy(new URL(database.environment.CLICKHOUSE_URL));
  const url = new URL(database.environment.CLICKHOUSE_URL);
  url.port = String(proxy.port);
  const service = await useService({ ...database.environment, CLICKHOUSE_URL: url.href });
  await service.ready;
  const available = [
    ['/livez', 200, ok],
    ['/readyz', 200, ok],
    ['/health', 200, ok],
  ];
  expect(await probe(service)).toEqual(available);

  await proxy.close();
  const detail = 'ClickHouse is unavailable; try again.';
  const unavailable = { status: 'clickhouse_unavailable', detail };
  expect(await probe(service)).toEqual([
    ['/livez', 200, ok],
    ['/readyz', 503, unavailable],
    ['/health', 503, unavailable],
  ]);

  const reopened = await openTcpProxy(new URL(database.environment.CLICKHOUSE_URL), proxy.port);
  expect(await probe(service)).toEqual(available);
  await reopened.close();
});

const database = clickhouseFixture();
