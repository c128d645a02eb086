import { expect, onTestFinished, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { readMetrics, valueOf } from '../../support/http/metrics.ts';
import { type TestAnswer, testKey, useService } from '../../support/http/service.ts';
import { openTcpProxy } from '../../support/http/tcp-proxy.ts';

const database = clickhouseFixture();

const otherKey = 'another-key-of-the-tests';
const settings = {
  ...{ STATS_CONCURRENCY: '1', STATS_QUEUE_SIZE: '2', ROLLUPS: 'false' },
  API_KEYS: `${testKey},${otherKey}`,
};

const body = {
  ...{ project_id: 'p/one', start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' },
  usage_metrics: [{ metric: 'requests' }],
};

test('a full queue of statistics refuses the key that has queued most with 503 and Retry-After, and answers the others', async () => {
  const url = new URL(database.environment.CLICKHOUSE_URL);
  const proxy = await openTcpProxy(new URL(url));
  onTestFinished(() => proxy.close());
  url.port = String(proxy.port);
  const clickhouse = { ...database.environment, CLICKHOUSE_URL: url.href };
  const service = await useService({ ...clickhouse, ...settings });
  await service.ready;
  const send = (key = testKey, path = '/calls/stats', more: object = {}) =>
    service.send(path, { key, body: { ...body, ...more } });
  proxy.hold();
  // One runs, two are queued, and the last one to arrive is refused.
  const answers: TestAnswer[] = [];
  const waiting = Array.from({ length: 4 }, async () => answers.push(await send()));
  await Promise.race(waiting);
  const [refused] = answers as [TestAnswer];
  expect([refused.status, refused.json()]).toEqual([
    503,
    { detail: 'Too many requests for statistics are queued; try again.' },
  ]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  // Another key gets the place of the youngest request.
  const preview = send(otherKey, '/cost/preview', { usage_metrics: undefined, costs: {} });
  await expect.poll(() => answers.map(({ status }) => status)).toEqual([503, 503]);

  proxy.release();
  await Promise.all(waiting);
  const { status, text } = await preview;
  expect([status, ...answers.map((answer) => answer.status)], text).toEqual([
    ...[200, 503, 503, 200, 200],
  ]);
  const metrics = await readMetrics(service);
  expect(valueOf(metrics, 'calls_usage_queue_refused_total', { queue: 'stats' })).toBe(2);
});
