import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { deletionRow } from '../../support/rows/part-rows.ts';
import { spanRow } from '../../support/rows/span-rows.ts';
import { statsUsageParameters } from '../../support/rows/stats-parameters.ts';

const database = clickhouseFixture();

/** Prompt tokens of a trace. */
async function readPrompt(project: string): Promise<string | undefined> {
  const parameters = statsUsageParameters(project, ['trace']);
  const [row] = await database.clickhouse.read<{ counters: readonly string[] }>(
    'stats_usage_otel',
    parameters,
  );
  return row?.counters[1];
}

test('an agent does not count above a model call, but above a tool or a deleted call', async () => {
  const agent = { id: 'agent', kind: 'agent', tokens: 100 } as const;
  await database.insert('call_parts', [
    spanRow('p/repeats', agent),
    spanRow('p/repeats', { id: 'step', parent: 'agent', kind: 'other' }),
    spanRow('p/repeats', { id: 'call', parent: 'step', tokens: 90 }),
    spanRow('p/tool', agent),
    spanRow('p/tool', { id: 'tool', parent: 'agent', kind: 'tool' }),
    spanRow('p/tool', { id: 'call', parent: 'tool', tokens: 90 }),
    spanRow('p/deleted', agent),
    spanRow('p/deleted', { id: 'call', parent: 'agent', tokens: 90 }),
    deletionRow('p/deleted', { id: 'call' }),
  ]);
  expect(await readPrompt('p/repeats')).toBe('90');
  expect(await readPrompt('p/tool')).toBe('190');
  expect(await readPrompt('p/deleted')).toBe('100');
});

test('a response and twins count once in a trace, also where their parent has not arrived', async () => {
  await database.insert('call_parts', [
    spanRow('p/response', { id: 'a', parent: 'missing', response: 'r', tokens: 10 }),
    spanRow('p/response', { id: 'b', parent: 'gone', response: 'r', tokens: 30, time: [1, 5] }),
    spanRow('p/twins', { id: 'outer', parent: 'missing', scope: 1, tokens: 20 }),
    spanRow('p/twins', { id: 'inner', parent: 'missing', scope: 2, tokens: 20, time: [1, 9] }),
  ]);
  // The one that started later.
  expect(await readPrompt('p/response')).toBe('30');
  expect(await readPrompt('p/twins')).toBe('20');
});

test('members of a cycle count once each', async () => {
  await database.insert('call_parts', [
    spanRow('p/cycle', { id: 'a', parent: 'b', tokens: 10 }),
    spanRow('p/cycle', { id: 'b', parent: 'a', tokens: 20 }),
  ]);
  expect(await readPrompt('p/cycle')).toBe('30');
});
