import { describe, expect, test } from 'vitest';
import {
  deletionRow,
  endRow,
  orphanEndRow,
  startRow,
  completeRow,
} from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

async function insert(...rows: readonly object[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

async function countOf(project_id: string, ...call_ids: readonly string[]): Promise<number> {
  const parameters = { project_id, call_ids };
  const rows = await opened.clickhouse.read<{ calls: string }>('count_calls_to_delete', parameters);
  expect(rows).toHaveLength(1);
  return Number(rows[0]?.calls);
}

/** root > a > b > c, root > d, and the root `other` in the same trace. */
function treeOf(project: string): object[] {
  const parents = { root: '', a: 'root', b: 'a', c: 'b', d: 'root', other: '' };
  return Object.entries(parents).map(([id, parent]) => completeRow(project, { id, parent }));
}

describe('count_calls_to_delete', () => {
  test('counts each requested call and all its descendants once', async () => {
    await insert(...treeOf('p/tree'));
    // c; b, c; a, b, c; all but other.
    expect(await countOf('p/tree', 'c')).toBe(1);
    expect(await countOf('p/tree', 'b')).toBe(2);
    expect(await countOf('p/tree', 'a')).toBe(3);
    expect(await countOf('p/tree', 'root')).toBe(5);
    expect(await countOf('p/tree', 'a', 'c', 'a', 'b')).toBe(3);
    expect(await countOf('p/tree', 'c', 'd', 'other')).toBe(3);
    expect(await countOf('p/tree', 'other', 'root', 'c')).toBe(6);
  });

  test('is 0 for unknown calls, ends without a start, and an empty list', async () => {
    await insert(
      ...treeOf('p/unknown'),
      endRow('p/unknown', { id: 'end' }),
      orphanEndRow('p/unknown', { id: 'orphan end' }),
    );
    expect(await countOf('p/unknown', 'unknown', 'end', 'orphan end', '')).toBe(0);
    expect(await countOf('p/unknown')).toBe(0);
    expect(await countOf('p/unused', 'root')).toBe(0);
  });

  test('omits deleted calls, but not descendants that arrived after the deletion', async () => {
    await insert(
      ...treeOf('p/deleted'),
      ...['a', 'b', 'c'].map((id) => deletionRow('p/deleted', { id })),
      completeRow('p/deleted', { id: 'late', parent: 'b' }),
    );
    expect(await countOf('p/deleted', 'c')).toBe(0);
    expect(await countOf('p/deleted', 'a')).toBe(1);
    // root, d and late.
    expect(await countOf('p/deleted', 'root')).toBe(3);
  });

  test('stays within the project and trace of the call', async () => {
    await insert(
      ...treeOf('p/one'),
      ...treeOf('p/two'),
      completeRow('p/one', { id: 'elsewhere', parent: 'root', trace: 'elsewhere' }),
    );
    expect(await countOf('p/one', 'root')).toBe(5);
    expect(await countOf('p/one', 'root', 'elsewhere')).toBe(6);
  });

  test('is 0 for a parent that has not arrived, and counts its child if requested', async () => {
    await insert(...treeOf('p/missing'), completeRow('p/missing', { id: 'o', parent: 'missing' }));
    expect(await countOf('p/missing', 'missing')).toBe(0);
    expect(await countOf('p/missing', 'root', 'o')).toBe(5 + 1);
  });

  test('counts every call of a cycle and its descendants once', async () => {
    await insert(
      completeRow('p/cycle', { id: 'self', parent: 'self' }),
      startRow('p/cycle', { id: 'x', parent: 'z' }),
      startRow('p/cycle', { id: 'y', parent: 'x' }),
      startRow('p/cycle', { id: 'z', parent: 'y' }),
      startRow('p/cycle', { id: 'below', parent: 'y' }),
    );
    expect(await countOf('p/cycle', 'self')).toBe(1);
    expect(await countOf('p/cycle', 'x')).toBe(4);
    expect(await countOf('p/cycle', 'z', 'y')).toBe(4);
    expect(await countOf('p/cycle', 'below')).toBe(1);
    expect(await countOf('p/cycle', 'below', 'x', 'self')).toBe(5);
  });

  test('counts a call with repeated parts once', async () => {
    await insert(...treeOf('p/again'), ...treeOf('p/again'));
    await insert(...treeOf('p/again'));
    expect(await countOf('p/again', 'root')).toBe(5);
  });

  test('counts every call of a chain of 1,000', async () => {
    const rows = Array.from({ length: 1_000 }, (_, index) =>
      startRow('p/chain', { id: `call-${index}`, parent: index ? `call-${index - 1}` : '' }),
    );
    await insert(...rows);
    expect(await countOf('p/chain', 'call-0')).toBe(1_000);
    expect(await countOf('p/chain', 'call-999')).toBe(1);
    expect(await countOf('p/chain', 'call-400', 'call-10')).toBe(1_000 - 10);
  });
});
