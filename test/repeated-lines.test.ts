import { expect, test } from 'vitest';
import { RepeatedLines } from '../src/repeated-lines.ts';

test('of 1,000 lines of a kind one is written at once, and one that counts all others a second later', async () => {
  const lines = new RepeatedLines();
  const summaries: number[] = [];
  const written = Array.from({ length: 1_000 }, () =>
    lines.isFirst('kind', (count) => summaries.push(count)),
  );
  expect(written.filter(Boolean)).toHaveLength(1);
  expect(written[0]).toBe(true);
  expect(lines.isFirst('another kind', () => undefined)).toBe(true);
  await expect.poll(() => summaries).toEqual([999]);
});

test('after an interval without lines of a kind, the next one is written at once', async () => {
  const lines = new RepeatedLines();
  const isFirst = () => lines.isFirst('kind', () => undefined);
  expect(isFirst()).toBe(true);
  expect(isFirst()).toBe(false);
  // One poll in each two intervals is the first again.
  await expect.poll(isFirst, { interval: 1_500 }).toBe(true);
});
