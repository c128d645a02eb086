import { expect, test } from 'vitest';
import { completeRow, endRow, orphanEndRow, startRow } from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

const rolledUp = { attributes_dump: '{"weave":{"source":"js-sdk"}}' };

async function locate(project_id: string, call_ids: readonly string[]): Promise<object[]> {
  const rows = await opened.clickhouse.read<{ call_id: string }>('locate_calls', {
    project_id,
    call_ids,
  });
  return rows.sort((a, b) => (a.call_id < b.call_id ? -1 : 1));
}

test('locate_calls returns calls that have a start, with trace, is_root and is_rolled_up', async () => {
  const calls = [
    startRow('p/present', { id: 'root', trace: 'one' }),
    completeRow('p/present', { id: 'child', trace: 'two', parent: 'root' }, rolledUp),
    // A start and a complete call that contradict each other.
    startRow('p/present', { id: 'both', trace: 'one' }),
    completeRow('p/present', { id: 'both', trace: 'one', parent: 'root' }, rolledUp),
    endRow('p/present', { id: 'end only', trace: 'one' }),
    orphanEndRow('p/present', { id: 'orphan end' }),
    startRow('p/other', { id: 'other', trace: 'one' }),
  ];
  await opened.insert('call_parts', calls);
  const ids = ['unknown', 'root', 'end only', 'orphan end', 'child', 'both', 'other', ''];
  expect(await locate('p/present', ids)).toEqual([
    { call_id: 'both', trace_id: 'one', is_root: 0, is_rolled_up: 1 },
    { call_id: 'child', trace_id: 'two', is_root: 0, is_rolled_up: 1 },
    { call_id: 'root', trace_id: 'one', is_root: 1, is_rolled_up: 0 },
  ]);
});

test('locate_calls returns the greater trace of an id in two traces, not as a root if either call has a parent', async () => {
  await opened.insert('call_parts', [
    startRow('p/two', { id: 'a', trace: 'one', parent: 'x' }),
    startRow('p/two', { id: 'a', trace: 'two' }),
  ]);
  expect(await locate('p/two', ['a'])).toEqual([
    { call_id: 'a', trace_id: 'two', is_root: 0, is_rolled_up: 0 },
  ]);
});
