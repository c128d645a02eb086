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

interface Row {
  readonly project_id: string;
  readonly id: string;
  readonly trace_id: string;
}

/** The known traces of calls of one project, by call id. */
async function tracesOf(project_id: string, call_ids: readonly string[]) {
  const rows = await opened.clickhouse.read<Row>('find_traces', {
    project_ids: call_ids.map(() => project_id),
    call_ids,
  });
  expect(rows.every((row) => row.project_id === project_id)).toBe(true);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  return Object.fromEntries(rows.map(({ id, trace_id }) => [id, trace_id]));
}

async function insert(...rows: readonly object[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

describe('find_traces', () => {
  test('returns the trace of a start or a complete call', async () => {
    await insert(
      startRow('p/found', { id: 'started', trace: 'one' }),
      completeRow('p/found', { id: 'whole', trace: 'two' }),
      completeRow('p/found', { id: 'not requested', trace: 'two' }),
    );
    expect(await tracesOf('p/found', ['started', 'whole'])).toEqual({
      started: 'one',
      whole: 'two',
    });
  });

  test('returns one row per call, even if its parts or the requested id are repeated', async () => {
    const start = startRow('p/repeated', { id: 'a', trace: 'one' });
    for (let time = 0; time < 3; time += 1) await insert(start);
    await insert(start, completeRow('p/repeated', { id: 'a', trace: 'one' }));
    expect(await tracesOf('p/repeated', ['a', 'a', 'a'])).toEqual({ a: 'one' });
  });

  test('omits calls of which only an end or a deletion has arrived', async () => {
    await insert(
      endRow('p/ends', { id: 'end', trace: 'one' }),
      orphanEndRow('p/ends', { id: 'orphan end' }),
      deletionRow('p/ends', { id: 'deleted', trace: 'one' }),
    );
    expect(await tracesOf('p/ends', ['end', 'orphan end', 'deleted', 'unknown', ''])).toEqual({});
  });

  test('omits calls of other projects', async () => {
    await insert(
      startRow('p/one', { id: 'a', trace: 'one' }),
      startRow('p/two', { id: 'a', trace: 'two' }),
      startRow('p/two', { id: 'b', trace: 'two' }),
    );
    expect(await tracesOf('p/one', ['a', 'b'])).toEqual({ a: 'one' });
  });

  test('returns the trace within each of several projects for equal ids', async () => {
    await insert(
      startRow('p/first', { id: 'a', trace: 'one' }),
      startRow('p/second', { id: 'a', trace: 'two' }),
      startRow('p/second', { id: 'b', trace: 'two' }),
    );
    const rows = await opened.clickhouse.read<Row>('find_traces', {
      project_ids: ['p/first', 'p/second', 'p/first'],
      call_ids: ['a', 'a', 'b'],
    });
    expect(new Set(rows.map((row) => Object.values(row).join(' ')))).toEqual(
      new Set(['p/first a one', 'p/second a two']),
    );
    expect(rows).toHaveLength(2);
  });

  test('returns the trace of a deleted call, because parts may still arrive', async () => {
    await insert(
      startRow('p/deleted', { id: 'a', trace: 'one' }),
      deletionRow('p/deleted', { id: 'a', trace: 'one' }),
    );
    expect(await tracesOf('p/deleted', ['a'])).toEqual({ a: 'one' });
  });

  test('returns the greater trace of an id in two traces, whichever arrived first', async () => {
    await insert(startRow('p/both', { id: 'a', trace: 'one' }));
    await insert(startRow('p/both', { id: 'a', trace: 'two' }));
    await insert(startRow('p/both', { id: 'b', trace: 'two' }));
    await insert(startRow('p/both', { id: 'b', trace: 'one' }));
    expect(await tracesOf('p/both', ['a', 'b'])).toEqual({ a: 'two', b: 'two' });
  });
});

test('find_traces returns nothing for an empty list', async () => {
  expect(await tracesOf('p/none', [])).toEqual({});
});

test('find_traces accepts 100,000 ids, whatever characters they have', async () => {
  const hostile = ["'", '"', '\\', '\0', '\n', '\u{1f600}', '{id: String}', ' '];
  await insert(
    ...hostile.map((id, index) => startRow('p/many', { id, trace: `${id}${index}` })),
    ...Array.from({ length: 1_000 }, (_, index) => startRow('p/many', { id: `call-${index}` })),
  );
  const requested = Array.from({ length: 100_000 }, (_, index) => `call-${index}`);
  const traces = await tracesOf('p/many', [...hostile, ...requested]);
  expect(Object.keys(traces)).toHaveLength(hostile.length + 1_000);
  hostile.forEach((id, index) => expect(traces[id]).toBe(`${id}${index}`));
});
