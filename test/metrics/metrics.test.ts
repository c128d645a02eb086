import { expect, test } from 'vitest';
import {
  ClickHouseOverloadedError,
  ClickHouseUnavailableError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../../src/clickhouse/errors.ts';
import { Metrics } from '../../src/metrics/metrics.ts';

test.each([
  [new ClickHouseUnavailableError('x'), 'unavailable'],
  [new ClickHouseOverloadedError('x'), 'overloaded'],
  [new QueryTimeoutError('x'), 'timeout'],
  [new ResultTooLargeError('x'), 'result_too_large'],
  [AbortSignal.abort().reason, 'cancelled'],
  [new Error('secret'), 'other'],
  ['secret', 'other'],
])('a request to ClickHouse that fails with %s is counted as %s', async (error, name) => {
  const { registry, observeQuery } = new Metrics();
  observeQuery('locate_calls', 1, error);
  const text = await registry.metrics();
  const sample = `calls_usage_clickhouse_errors_total{query="locate_calls",error="${name}"} 1\n`;
  expect(text).toContain(sample);
  expect(text).not.toContain('secret');
});

test('a counter that is read shows what was read last, not the sum of all readings', async () => {
  const metrics = new Metrics();
  let value = 1;
  const read = () => ({ a: value, b: 0 });
  metrics.watch({ name: 'read_total', type: 'counter', help: 'help', label: 'part', read });
  expect(await metrics.registry.metrics()).toContain('read_total{part="a"} 1\n');
  value = 3;
  const text = await metrics.registry.metrics();
  expect(text).toContain('read_total{part="a"} 3\nread_total{part="b"} 0\n');
});
