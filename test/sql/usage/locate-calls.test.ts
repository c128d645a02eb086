import { expect, test } from 'vitest';
import { endRow, orphanEndRow, startRow, completeRow } from '../../support/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

const rolledUp = { attributes_dump: '{"weave":{"source":"js-sdk"}}' };

async function ask(project_id: string, call_ids: readonly string[]): Promise<object[]> {
  const rows = await opened.clickhouse.read<{ call_id: string }>('locate_calls', {
    project_id,
    call_ids,
  });
  return rows.sort((a, b) => (a.call_id < b.call_id ? -1 : 1));
}

test('calls that are there come with their trace, and whether they are roots and rolled up', async () => {
  const calls = [
    startRow('p/here', { id: 'root', trace: 'one' }),
    completeRow('p/here', { id: 'child', trace: 'two', parent: 'root' }, rolledUp),
    // A start and a whole call that contradict each other.
    startRow('p/here', { id: 'both', trace: 'one' }),
    completeRow('p/here', { id: 'both', trace: 'one', parent: 'root' }, rolledUp),
    endRow('p/here', { id: 'only ended', trace: 'one' }),
    orphanEndRow('p/here', { id: 'loose' }),
    startRow('p/elsewhere', { id: 'other', trace: 'one' }),
  ];
  await opened.insert('call_parts', calls);
  const ids = ['unknown', 'root', 'only ended', 'loose', 'child', 'both', 'other', ''];
  expect(await ask('p/here', ids)).toEqual([
    { call_id: 'both', trace_id: 'one', is_root: 0, is_rolled_up: 1 },
    { call_id: 'child', trace_id: 'two', is_root: 0, is_rolled_up: 1 },
    { call_id: 'root', trace_id: 'one', is_root: 1, is_rolled_up: 0 },
  ]);
});

test('of an id in two traces the greater trace is told, and as no root if it has a parent anywhere', async () => {
  await opened.insert('call_parts', [
    startRow('p/two', { id: 'a', trace: 'one', parent: 'x' }),
    startRow('p/two', { id: 'a', trace: 'two' }),
  ]);
  expect(await ask('p/two', ['a'])).toEqual([
    { call_id: 'a', trace_id: 'two', is_root: 0, is_rolled_up: 0 },
  ]);
});
