import { expect, test } from 'vitest';
import { callKey } from '../../oracle/call-key.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { countParameters } from '../../support/rows/list-parameters.ts';
import { completeRow, deletionRow, endRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('top calls are those without a present parent and those that are their own; a call is not its own child', async () => {
  await database.insert('call_parts', [
    completeRow('p/one', { id: 'root' }),
    completeRow('p/one', { id: 'child', parent: 'root' }),
    completeRow('p/one', { id: 'own', parent: 'own' }),
    completeRow('p/one', { id: 'of own', parent: 'own' }),
    completeRow('p/one', { id: 'lost', parent: 'never arrived' }),
    completeRow('p/one', { id: 'deleted', parent: 'root' }),
    deletionRow('p/one', { id: 'deleted' }),
    completeRow('p/one', { id: 'below', parent: 'deleted' }),
    endRow('p/one', { id: 'end only' }),
    completeRow('p/one', { id: 'of end', parent: 'end only' }),
    completeRow('p/one', { id: 'x', trace: 't2', parent: 'y' }),
    completeRow('p/one', { id: 'y', trace: 't2', parent: 'x' }),
  ]);
  const read = async (more: object) => {
    const rows = await database.clickhouse.read<{ key: string; total: string }>('list_level', {
      ...countParameters('p/one'),
      ...{ is_top: true, offset: 0 },
      ...more,
    });
    const ids = ['root', 'child', 'own', 'of own', 'lost', 'below', 'of end'];
    const idOf = new Map(ids.map((id) => [String(callKey('trace', id)), id]));
    return { ids: rows.map(({ key }) => idOf.get(key)).sort(), total: rows[0]?.total };
  };
  const tops = ['below', 'lost', 'of end', 'own', 'root'];
  expect(await read({})).toEqual({ ids: tops, total: '5' });
  const [first, rest] = [await read({ max_calls: 2 }), await read({ offset: 2 })];
  expect([...first.ids, ...rest.ids].sort()).toEqual(tops);
  expect(first.total).toBe('5');
  const childrenOf = (parent: string) =>
    read({
      ...{ is_top: false, has_parent_ids: true },
      ...{ parent_ids: [parent], parent_traces: ['trace'] },
    });
  expect(await childrenOf('root')).toEqual({ ids: ['child'], total: '1' });
  expect(await childrenOf('own')).toEqual({ ids: ['of own'], total: '1' });
  expect(await childrenOf('lost')).toEqual({ ids: [], total: undefined });
});
