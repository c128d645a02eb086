import { expect, onTestFinished, test } from 'vitest';

import { clickhouseFixture } from '../support/fixtures.ts';
import { readMetrics, valueOf } from '../support/http/metrics.ts';
import { type TestAnswer, useService } from '../support/http/service.ts';
import { openTcpProxy } from '../support/http/tcp-proxy.ts';

const database = clickhouseFixture();

const settings = {
  ...{ USAGE_CONCURRENCY: '1', STATS_CONCURRENCY: '1', LIST_CONCURRENCY: '1' },
  ...{ QUEUE_TIMEOUT_MS: '100', USAGE_BATCH_IDS: '1' },
};

const day = { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' };
const list = 'The request for a list was queued for too long; try again.';
const paths = [
  {
    ...{ path: '/calls/usage', queue: 'usage', more: { call_ids: ['one'] } },
    detail: 'The usage request was queued for too long; try again.',
  },
  {
    ...{ path: '/calls/stats', queue: 'stats' },
    more: { ...day, usage_metrics: [{ metric: 'requests' }] },
    detail: 'The request for statistics was queued for too long; try again.',
  },
  { path: '/calls/stream_query', queue: 'lists', more: {}, detail: list },
  { path: '/calls/query_stats', queue: 'lists', more: {}, detail: list },
  { path: '/trace/usage', queue: 'lists', more: { filter: { trace_ids: ['one'] } }, detail: list },
  { path: '/traces/query', queue: 'lists', more: day, detail: list },
];

test.each(paths)(
  'while ClickHouse does not answer, a request to $path that is queued for longer than QUEUE_TIMEOUT_MS gets 503 and Retry-After',
  async ({ path, queue, more, detail }) => {
    const url = new URL(database.environment.CLICKHOUSE_URL);
    const proxy = await openTcpProxy(new URL(url));
    onTestFinished(() => proxy.close());
    url.port = String(proxy.port);
    const clickhouse = { ...database.environment, CLICKHOUSE_URL: url.href };
    const service = await useService({ ...clickhouse, ...settings });
    await service.ready;
    const send = () => service.send(path, { body: { project_id: 'p/one', ...more } });
    proxy.hold();
    const answers: TestAnswer[] = [];
    const sent = [1, 2].map(async () => answers.push(await send()));
    await Promise.race(sent);
    const [refused] = answers as [TestAnswer];
    expect([refused.status, refused.json()]).toEqual([503, { detail }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    proxy.release();
    await Promise.all(sent);
    expect(answers.map(({ status }) => status)).toEqual([503, 200]);
    const metrics = await readMetrics(service);
    expect(valueOf(metrics, 'calls_usage_queue_refused_total', { queue })).toBe(1);
  },
);
