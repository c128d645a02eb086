import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { deletionRow, endRow, completeRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('counts the calls of each model that started within the window, most used first', async () => {
  const used = (model: string, prompt: number) => ({
    [model]: { requests: 1, prompt_tokens: prompt },
  });
  const call = (id: string, day: string, usage: object) =>
    completeRow('p/one', { id, startedAt: `${day} 00:00:00.000000`, usage });
  await database.insert('call_parts', [
    call('a', '2026-01-01', { ...used('x', 1), ...used('gpt-4o', 100) }),
    call('b', '2026-01-02', { ...used('x', 10), ...used('y', 1_000) }),
    call('c', '2026-01-03', used('x', 10_000)),
    call('deleted', '2026-01-02', used('y', 5)),
    deletionRow('p/one', { id: 'deleted' }),
    endRow('p/one', { id: 'never started', usage: used('z', 7) }),
    completeRow('p/two', { id: 'a', usage: used('z', 7) }),
  ]);
  const read = (after: string, before: string, limit = 10) =>
    database.clickhouse.read<{ llm_id: string; calls: string; counters: string[] }>('used_models', {
      ...{ project_id: 'p/one', after: `${after} 00:00:00`, before: `${before} 00:00:00` },
      ...{ max_models: limit },
    });
  const all = await read('1900-01-02', '2299-01-01');
  // x: 1 + 10 + 10,000 prompt tokens of three calls.
  expect(
    all.map(({ llm_id, calls, counters }) => [llm_id, calls, counters[0], counters[1]]),
  ).toEqual([
    ['x', '3', '3', '10011'],
    ['gpt-4o', '1', '1', '100'],
    ['y', '1', '1', '1000'],
  ]);
  const window = await read('2026-01-02', '2026-01-03');
  expect(window.map(({ llm_id, calls }) => [llm_id, calls])).toEqual([
    ['x', '1'],
    ['y', '1'],
  ]);
  expect(await read('1900-01-02', '2299-01-01', 1)).toHaveLength(1);
});
