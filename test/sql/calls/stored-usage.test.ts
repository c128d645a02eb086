import { expect, test } from 'vitest';
import { noBoundaries } from '../../../src/prices/snapshot/price-level.ts';
import { callKey } from '../../oracle/call-key.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, startRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('returns what calls have stored, and says where that may be something else than they used', async () => {
  const usage = { m: { requests: 1, prompt_tokens: 10, completion_tokens: 5 } };
  const rolledUp = { usage_mode: 1 };
  await database.insert('call_parts', [
    completeRow('p', { id: 'own', usage: { ...usage, n: { requests: 2, prompt_tokens: 3 } } }),
    completeRow('p', { id: 'other', parent: 'own', usage }),
    completeRow('p', { id: 'none', parent: 'own' }),
    completeRow('p', { id: 'deleted', parent: 'own', usage }),
    deletionRow('p', { id: 'deleted' }),
    completeRow('p', { id: 'above', usage }, rolledUp),
    completeRow('p', { id: 'leaf', parent: 'above', usage }, rolledUp),
    // Its usage is in that of its parent, too.
    deletionRow('p', { id: 'leaf' }),
    completeRow('p', { id: 'below', parent: 'above', usage }, rolledUp),
    completeRow('p', { id: 'own child', parent: 'below', usage }),
    completeRow('p', { id: 'itself', parent: 'itself', usage }, rolledUp),
    completeRow('p', { id: 'span', usage }, { usage_mode: 2 }),
    completeRow('p', { id: 'excess', usage: { m: { prompt_tokens: 1, total_tokens: 9 } } }),
  ]);
  const ids = ['own', 'none', 'deleted', 'above', 'below', 'itself', 'span', 'excess'];
  const keys = ids.map((id) => String(callKey('trace', id)));
  const rows = await database.clickhouse.read<Record<string, unknown>>('stored_usage', {
    ...{ project_id: 'p', trace_ids: ['trace'], keys, ...noBoundaries },
  });
  const found = rows.map(({ call_key, model, counters, has_children, usage_modes, has_excess }) => {
    const [requests, prompt] = counters as string[];
    const id = ids[keys.indexOf(String(call_key))];
    return [id, model, requests, prompt, has_children, usage_modes, has_excess];
  });
  const sorted = found.map((row) => row.join()).sort();
  expect(sorted).toEqual(
    [
      'own,m,1,10,0,0,0',
      'own,n,2,3,0,0,0',
      'none,,,,0,0,0',
      'above,m,1,10,1,1,0',
      'below,m,1,10,0,1,0',
      'itself,m,1,10,0,1,0',
      'span,m,1,10,0,2,0',
      'excess,m,0,1,0,0,1',
    ].sort(),
  );
});

test('returns the parent of a call, and whether it has ended, also of one without usage', async () => {
  await database.insert('call_parts', [
    completeRow('q', { id: 'root' }),
    completeRow('q', { id: 'ended', parent: 'root' }),
    startRow('q', { id: 'open', parent: 'root' }),
  ]);
  const ids = ['root', 'ended', 'open'];
  const keys = ids.map((id) => String(callKey('trace', id)));
  const rows = await database.clickhouse.read<Record<string, unknown>>('stored_usage', {
    ...{ project_id: 'q', trace_ids: ['trace'], keys, ...noBoundaries },
  });
  const found = rows.map(({ call_key, parent_key, unfinished_call_ids }) => [
    ids[keys.indexOf(String(call_key))],
    ids[keys.indexOf(String(parent_key))] ?? parent_key,
    unfinished_call_ids,
  ]);
  expect(Object.fromEntries(found.map(([id, ...more]) => [id, more]))).toEqual({
    root: ['0', []],
    ended: ['root', []],
    open: ['root', ['open']],
  });
});
