import { expect, test } from 'vitest';
import {
  completeRow,
  deletionRow,
  endRow,
  orphanEndRow,
  type Row,
  startRow,
} from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { rewriteWhenFree } from '../../support/clickhouse/rewrite.ts';

const opened = clickhouseFixture();

const statements = { count: 'count_deleted_payloads', alter: 'erase_deleted_payloads' } as const;

const startPayload = { inputs_dump: '{"text":"in"}', otel_dump: '{"text":"span"}' };
const endPayload = {
  output_dump: '{"id":"response","service_tier":"flex","text":"out"}',
  exception: 'broke',
};
const payload = { ...startPayload, ...endPayload };
const erased = { inputs_dump: '{}', output_dump: 'null', exception: '', otel_dump: '' };

async function partsOf(project_id: string): Promise<Row[]> {
  return await opened.query<Row>(
    `SELECT *, has_payload, usage_fields, is_rolled_up FROM call_parts FINAL
    WHERE project_id = {project_id: String} ORDER BY trace_id, id, kind`,
    { project_id },
  );
}

async function callsOf(project_id: string): Promise<Row[]> {
  return await opened.query<Row>(
    'SELECT * FROM merged_calls FINAL WHERE project_id = {project_id: String} ORDER BY trace_id, key',
    { project_id },
  );
}

/** A part with all that is not payload. */
function moreOf(payloadColumns: Row): Row {
  return {
    ...payloadColumns,
    parent_id: 'parent',
    op_name: 'op',
    display_name: 'name',
    attributes_dump: '{"weave":{"source":"js-sdk"}}',
    wb_user_id: 'user',
  };
}

const usage = { m: { requests: 1, prompt_tokens: 7 } };

test('erase_deleted_payloads empties the payload columns of deleted calls and changes nothing else', async () => {
  const shape = { id: 'deleted', usage };
  await opened.insert('call_parts', [
    completeRow('p/erased', { ...shape, id: 'deleted, complete' }, moreOf(payload)),
    startRow('p/erased', shape, moreOf(startPayload)),
    endRow('p/erased', shape, endPayload),
    orphanEndRow('p/erased', { ...shape, usage: { m: { prompt_tokens: 8 } } }, endPayload),
    deletionRow('p/erased', shape),
    deletionRow('p/erased', { id: 'deleted, complete' }),
  ]);
  const [before, callsBefore] = await Promise.all([partsOf('p/erased'), callsOf('p/erased')]);
  expect(before.map(({ has_payload }) => has_payload)).toEqual([1, 1, 1, 0, 1, 0]);

  expect(await rewriteWhenFree(opened.clickhouse, statements)).toBe(4);
  expect(await partsOf('p/erased')).toEqual(
    before.map((part) => ({ ...part, ...erased, has_payload: 0 })),
  );
  expect(before.filter(({ output_id }) => output_id === 'response')).toHaveLength(3);
  expect(await callsOf('p/erased')).toEqual(callsBefore);

  // Nothing is left to erase.
  expect(await rewriteWhenFree(opened.clickhouse, statements)).toBe(0);
});

test('erase_deleted_payloads changes no calls that are not deleted, nor those of other projects and traces', async () => {
  const kept = [
    completeRow('p/kept', { id: 'kept' }, payload),
    completeRow('p/kept', { id: 'deleted', trace: 'other' }, payload),
    orphanEndRow('p/kept', { id: 'kept' }, endPayload),
    completeRow('p/kept too', { id: 'deleted' }, payload),
  ];
  await opened.insert('call_parts', [
    ...kept,
    completeRow('p/kept', { id: 'deleted' }, payload),
    deletionRow('p/kept', { id: 'deleted' }),
  ]);
  expect(await rewriteWhenFree(opened.clickhouse, statements)).toBe(1);
  const left = await opened.query<{ parts: string }>(
    `SELECT count() AS parts FROM call_parts WHERE has_payload AND startsWith(project_id, 'p/kept')`,
  );
  expect(left).toEqual([{ parts: String(kept.length) }]);
});

test('erase_deleted_payloads erases parts that arrive after the deletion or arrive again', async () => {
  const row = completeRow('p/late', { id: 'late', usage }, payload);
  await opened.insert('call_parts', [deletionRow('p/late', { id: 'late' })]);
  for (let repeat = 0; repeat < 2; repeat += 1) {
    await opened.insert('call_parts', [row]);
    expect(await rewriteWhenFree(opened.clickhouse, statements)).toBe(1);
    const parts = await partsOf('p/late');
    expect(parts).toHaveLength(2);
    expect(parts[0]).toMatchObject({ ...erased, kind: 'whole' });
  }
});

test('an end keeps its hash when it is repaired after its payload was erased', async () => {
  await opened.insert('call_parts', [
    startRow('p/repaired', { id: 'a' }),
    orphanEndRow('p/repaired', { id: 'a', usage }, endPayload),
  ]);
  const repair = async (): Promise<void> => {
    const parameters = { project_id: 'p/repaired', call_ids: ['a'] };
    await opened.clickhouse.write('repair_orphan_ends', parameters);
  };
  await repair();
  const before = await partsOf('p/repaired');
  await opened.insert('call_parts', [deletionRow('p/repaired', { id: 'a' })]);
  expect(await rewriteWhenFree(opened.clickhouse, statements)).toBe(2);
  await repair();
  const after = await partsOf('p/repaired');
  const hashes = (rows: readonly Row[]): unknown[] =>
    rows.filter(({ kind }) => kind === 'end').map(({ part_hash }) => part_hash);
  expect(hashes(after)).toEqual(hashes(before));
  expect(hashes(after)).toHaveLength(2);
});

test('only one of several services erases at a time', async () => {
  await opened.insert('call_parts', [
    completeRow('p/once', { id: 'a' }, payload),
    deletionRow('p/once', { id: 'a' }),
  ]);
  const counts = await Promise.all([1, 2, 3].map(() => opened.clickhouse.rewrite(statements)));
  expect(counts.filter((count) => count === 1)).toHaveLength(1);
  expect(counts.filter((count) => count === undefined || count === 0)).toHaveLength(2);
});
