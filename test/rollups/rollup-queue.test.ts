import { expect, test } from 'vitest';

import { RollupQueue } from '../../src/rollups/rollup-queue.ts';

const trace = (id: string, more: object = {}) => ({
  ...{ project_id: 'p', trace_id: id, checksum: '1', rows: '10' },
  ...more,
});

/** Takes traces and returns their ids. */
const take = (queue: RollupQueue, sinceMs: number, maxRows = 1_000): string =>
  queue
    .take(sinceMs, maxRows)
    .map(({ trace_id }) => trace_id)
    .join();

test('a trace is due once its checksum has been the same for long enough', () => {
  const queue = new RollupQueue();
  queue.add(trace('a'), 1_000);
  queue.add(trace('b'), 1_001);
  queue.add(trace('a'), 5_000);
  expect(queue.oldestChangeMs).toBe(1_000);
  queue.add(trace('a', { checksum: '2' }), 6_000);
  expect(queue.oldestChangeMs).toBe(1_001);
  expect(take(queue, 1_000)).toBe('');
  expect(take(queue, 1_001)).toBe('b');
  expect(take(queue, 5_999)).toBe('');
  expect(take(queue, 6_000)).toBe('a');
  expect([queue.size, queue.oldestChangeMs]).toEqual([0, undefined]);
});

test('traces are taken by project, as many as have the rows together, and at least one', () => {
  const queue = new RollupQueue();
  for (const id of ['a', 'b', 'c']) queue.add(trace(id), 1);
  queue.add(trace('d', { project_id: 'q', rows: '5000' }), 1);
  queue.add(trace('e'), 1);
  expect(take(queue, 1, 20)).toBe('a,b');
  expect(take(queue, 1, 20)).toBe('c,e');
  expect(take(queue, 1, 20)).toBe('d');
});
