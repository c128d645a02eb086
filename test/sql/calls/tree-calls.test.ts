import { expect, test } from 'vitest';
import { callKey } from '../../oracle/call-key.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('counts present children of calls, and says how usage of their traces is computed', async () => {
  const rolledUp = { usage_mode: 1 };
  await database.insert('call_parts', [
    completeRow('p/one', { id: 'root' }, rolledUp),
    completeRow('p/one', { id: 'a', parent: 'root' }),
    completeRow('p/one', { id: 'b', parent: 'root' }),
    completeRow('p/one', { id: 'c', parent: 'root' }),
    deletionRow('p/one', { id: 'c' }),
    completeRow('p/one', { id: 'd', parent: 'a' }),
    completeRow('p/one', { id: 'own', parent: 'own' }),
    completeRow('p/one', { id: 'span', trace: 't2' }, { usage_mode: 2 }),
  ]);
  const read = async (traces: readonly string[], ids: readonly string[]) => {
    const keys = ids.map((id) => String(callKey('trace', id)));
    const parameters = { project_id: 'p/one', trace_ids: traces, keys };
    const rows = await database.clickhouse.read<{ key: string }>('tree_calls', parameters);
    return new Map(rows.map(({ key, ...row }) => [ids[keys.indexOf(key)], row]));
  };
  const calls = await read(['trace'], ['root', 'a', 'c', 'own']);
  expect(Object.fromEntries(calls)).toEqual({
    root: { trace_id: 'trace', children: '2', is_root: 1, is_rolled_up: 1, has_spans: 0 },
    a: { trace_id: 'trace', children: '1', is_root: 0, is_rolled_up: 0, has_spans: 0 },
    own: { trace_id: 'trace', children: '0', is_root: 0, is_rolled_up: 0, has_spans: 0 },
  });
  const withSpans = await read(['trace', 't2'], ['b']);
  expect(withSpans.get('b')).toMatchObject({ children: '0', has_spans: 1 });
});
