import { describe, expect, test } from 'vitest';
import { endRow, orphanEndRow, startRow, completeRow } from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

async function insert(...rows: readonly object[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

async function deleteCalls(project_id: string, ...call_ids: readonly string[]): Promise<void> {
  await opened.clickhouse.write('delete_calls', { project_id, call_ids });
}

/** Ids of the stored deletions, with the trace if it is not `trace`, once per row of the merged table. */
async function deletedIn(project: string): Promise<string[]> {
  const rows = await opened.query<{ name: string }>(
    `SELECT concat(trace_id, '/', id) AS name FROM call_parts FINAL
    WHERE project_id = {project: String} AND kind = 'deletion' ORDER BY name`,
    { project },
  );
  return rows.map(({ name }) => name.replace(/^trace\//, ''));
}

/** root > a > b > c, root > d, and the root `other` in the same trace. */
function treeOf(project: string): object[] {
  const parents = { root: '', a: 'root', b: 'a', c: 'b', d: 'root', other: '' };
  return Object.entries(parents).map(([id, parent]) => completeRow(project, { id, parent }));
}

describe('delete_calls', () => {
  test('stores a deletion for each requested call and each of its descendants', async () => {
    await insert(...treeOf('p/tree'));
    await deleteCalls('p/tree', 'b');
    expect(await deletedIn('p/tree')).toEqual(['b', 'c']);
    await deleteCalls('p/tree', 'd', 'c');
    expect(await deletedIn('p/tree')).toEqual(['b', 'c', 'd']);
    await deleteCalls('p/tree', 'root');
    expect(await deletedIn('p/tree')).toEqual(['a', 'b', 'c', 'd', 'root']);
  });

  test('marks the rows of calls as deleted at once', async () => {
    await insert(...treeOf('p/marked'));
    await deleteCalls('p/marked', 'a');
    const rows = await opened.query(
      `SELECT countIf(is_deleted) AS deleted, count() AS calls FROM merged_calls FINAL
      WHERE project_id = 'p/marked'`,
    );
    // a, b and c of six calls.
    expect(rows).toEqual([{ deleted: '3', calls: '6' }]);
  });

  test('stores nothing for unknown calls, ends without a start, and an empty list', async () => {
    await insert(
      ...treeOf('p/unknown'),
      endRow('p/unknown', { id: 'end' }),
      orphanEndRow('p/unknown', { id: 'orphan end' }),
    );
    await deleteCalls('p/unknown', 'unknown', 'end', 'orphan end', '');
    await deleteCalls('p/unknown');
    await deleteCalls('p/unused', 'root');
    expect(await deletedIn('p/unknown')).toEqual([]);
    expect(await deletedIn('p/unused')).toEqual([]);
  });

  test('when repeated, deletes only descendants that have arrived since', async () => {
    await insert(...treeOf('p/again'));
    await deleteCalls('p/again', 'a');
    await deleteCalls('p/again', 'a');
    expect(await deletedIn('p/again')).toEqual(['a', 'b', 'c']);
    await insert(completeRow('p/again', { id: 'late', parent: 'b' }));
    await deleteCalls('p/again', 'a');
    expect(await deletedIn('p/again')).toEqual(['a', 'b', 'c', 'late']);
  });

  test('stays within the project and trace of the call', async () => {
    await insert(
      ...treeOf('p/one'),
      ...treeOf('p/two'),
      completeRow('p/one', { id: 'elsewhere', parent: 'root', trace: 'elsewhere' }),
    );
    await deleteCalls('p/one', 'root');
    expect(await deletedIn('p/one')).toEqual(['a', 'b', 'c', 'd', 'root']);
    expect(await deletedIn('p/two')).toEqual([]);
    await deleteCalls('p/one', 'elsewhere');
    expect(await deletedIn('p/one')).toContain('elsewhere/elsewhere');
  });

  test('deletes every call of a cycle and its descendants', async () => {
    await insert(
      startRow('p/cycle', { id: 'x', parent: 'z' }),
      startRow('p/cycle', { id: 'y', parent: 'x' }),
      startRow('p/cycle', { id: 'z', parent: 'y' }),
      startRow('p/cycle', { id: 'below', parent: 'y' }),
      startRow('p/cycle', { id: 'self', parent: 'self' }),
    );
    await deleteCalls('p/cycle', 'below');
    expect(await deletedIn('p/cycle')).toEqual(['below']);
    await deleteCalls('p/cycle', 'z', 'self');
    expect(await deletedIn('p/cycle')).toEqual(['below', 'self', 'x', 'y', 'z']);
  });

  test('deletes unfinished calls, whatever characters their ids have', async () => {
    const hostile = ["'", '"', '\\', '\0', '\n', '\u{1f600}', '{id: String}', ' '];
    await insert(
      startRow('p/hostile', { id: 'root' }),
      ...hostile.map((id) => startRow('p/hostile', { id, parent: 'root' })),
    );
    await deleteCalls('p/hostile', ...hostile);
    expect(await deletedIn('p/hostile')).toEqual(hostile.toSorted());
    await deleteCalls('p/hostile', 'root');
    expect(await deletedIn('p/hostile')).toEqual([...hostile, 'root'].sort());
  });

  test('deletes as many calls as count_calls_to_delete counts', async () => {
    const rows = Array.from({ length: 200 }, (_, index) =>
      // The parent of each call is the one with half its number.
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
      await deleteCalls('p/count', ...call_ids);
      expect((await deletedIn('p/count')).length - before).toBe(Number(count?.calls));
    }
    expect(await deletedIn('p/count')).toHaveLength(200);
  });

  test('accepts 100,000 ids', async () => {
    const ids = Array.from({ length: 100_000 }, (_, index) => `call-${index}`);
    await insert(...ids.slice(0, 1_000).map((id) => startRow('p/many', { id })));
    await deleteCalls('p/many', ...ids);
    expect(await deletedIn('p/many')).toHaveLength(1_000);
  });
});
