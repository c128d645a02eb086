import { describe, expect, test } from 'vitest';
import { endRow, orphanEndRow, startRow, completeRow } from '../../support/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

async function insert(...rows: readonly object[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

async function remove(project_id: string, ...call_ids: readonly string[]): Promise<void> {
  await opened.clickhouse.write('delete_calls', { project_id, call_ids });
}

/** Ids of calls for which a deletion is stored, each as often as it stands in the merged table, with traces. */
async function deletedIn(project: string): Promise<string[]> {
  const rows = await opened.query<{ name: string }>(
    `SELECT concat(trace_id, '/', id) AS name FROM call_parts FINAL
    WHERE project_id = {project: String} AND kind = 'deletion' ORDER BY name`,
    { project },
  );
  return rows.map(({ name }) => name.replace(/^trace\//, ''));
}

/** root > a > b > c, root > d; other stands apart in the same trace. */
function treeOf(project: string): object[] {
  const parents = { root: '', a: 'root', b: 'a', c: 'b', d: 'root', other: '' };
  return Object.entries(parents).map(([id, parent]) => completeRow(project, { id, parent }));
}

describe('deleting', () => {
  test('stores a deletion for each call and each of its descendants', async () => {
    await insert(...treeOf('p/tree'));
    await remove('p/tree', 'b');
    expect(await deletedIn('p/tree')).toEqual(['b', 'c']);
    await remove('p/tree', 'd', 'c');
    expect(await deletedIn('p/tree')).toEqual(['b', 'c', 'd']);
    await remove('p/tree', 'root');
    expect(await deletedIn('p/tree')).toEqual(['a', 'b', 'c', 'd', 'root']);
  });

  test('marks the calls, which is seen at once', async () => {
    await insert(...treeOf('p/marked'));
    await remove('p/marked', 'a');
    const rows = await opened.query(
      `SELECT countIf(is_deleted) AS deleted, count() AS calls FROM calls FINAL
      WHERE project_id = 'p/marked'`,
    );
    // a, b and c of six.
    expect(rows).toEqual([{ deleted: '3', calls: '6' }]);
  });

  test('stores nothing for unknown calls, ends without a start, and no calls at all', async () => {
    await insert(
      ...treeOf('p/unknown'),
      endRow('p/unknown', { id: 'end' }),
      orphanEndRow('p/unknown', { id: 'loose' }),
    );
    await remove('p/unknown', 'unknown', 'end', 'loose', '');
    await remove('p/unknown');
    await remove('p/nobody', 'root');
    expect(await deletedIn('p/unknown')).toEqual([]);
    expect(await deletedIn('p/nobody')).toEqual([]);
  });

  test('again changes nothing, but for what came below since', async () => {
    await insert(...treeOf('p/again'));
    await remove('p/again', 'a');
    await remove('p/again', 'a');
    expect(await deletedIn('p/again')).toEqual(['a', 'b', 'c']);
    await insert(completeRow('p/again', { id: 'late', parent: 'b' }));
    await remove('p/again', 'a');
    expect(await deletedIn('p/again')).toEqual(['a', 'b', 'c', 'late']);
  });

  test('stays in the call’s own project and trace', async () => {
    await insert(
      ...treeOf('p/one'),
      ...treeOf('p/two'),
      completeRow('p/one', { id: 'elsewhere', parent: 'root', trace: 'elsewhere' }),
    );
    await remove('p/one', 'root');
    expect(await deletedIn('p/one')).toEqual(['a', 'b', 'c', 'd', 'root']);
    expect(await deletedIn('p/two')).toEqual([]);
    await remove('p/one', 'elsewhere');
    expect(await deletedIn('p/one')).toContain('elsewhere/elsewhere');
  });

  test('of a call in a cycle deletes every member and what hangs on it', async () => {
    await insert(
      startRow('p/cycle', { id: 'x', parent: 'z' }),
      startRow('p/cycle', { id: 'y', parent: 'x' }),
      startRow('p/cycle', { id: 'z', parent: 'y' }),
      startRow('p/cycle', { id: 'below', parent: 'y' }),
      startRow('p/cycle', { id: 'self', parent: 'self' }),
    );
    await remove('p/cycle', 'below');
    expect(await deletedIn('p/cycle')).toEqual(['below']);
    await remove('p/cycle', 'z', 'self');
    expect(await deletedIn('p/cycle')).toEqual(['below', 'self', 'x', 'y', 'z']);
  });

  test('deletes running calls, and ids may hold anything', async () => {
    const hostile = ["'", '"', '\\', '\0', '\n', '\u{1f600}', '{id: String}', ' '];
    await insert(
      startRow('p/hostile', { id: 'root' }),
      ...hostile.map((id) => startRow('p/hostile', { id, parent: 'root' })),
    );
    await remove('p/hostile', ...hostile);
    expect(await deletedIn('p/hostile')).toEqual(hostile.toSorted());
    await remove('p/hostile', 'root');
    expect(await deletedIn('p/hostile')).toEqual([...hostile, 'root'].sort());
  });

  test('deletes as many as count_calls_to_delete says', async () => {
    const rows = Array.from({ length: 200 }, (_, index) =>
      // Each call stands below the one with half its number.
      startRow('p/count', {
        id: `call-${index}`,
        parent: index ? `call-${Math.floor(index / 2)}` : '',
      }),
    );
    await insert(...rows);
    for (const call_ids of [['call-100', 'call-7'], ['call-3'], ['call-0', 'call-5']]) {
      const parameters = { project_id: 'p/count', call_ids };
      const before = (await deletedIn('p/count')).length;
      const [count] = await opened.clickhouse.read<{ calls: string }>(
        'count_calls_to_delete',
        parameters,
      );
      await remove('p/count', ...call_ids);
      expect((await deletedIn('p/count')).length - before).toBe(Number(count?.calls));
    }
    expect(await deletedIn('p/count')).toHaveLength(200);
  });

  test('deletes 100,000 named calls at once', async () => {
    const ids = Array.from({ length: 100_000 }, (_, index) => `call-${index}`);
    await insert(...ids.slice(0, 1_000).map((id) => startRow('p/many', { id })));
    await remove('p/many', ...ids);
    expect(await deletedIn('p/many')).toHaveLength(1_000);
  });
});
