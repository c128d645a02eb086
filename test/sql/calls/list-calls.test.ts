import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { listParameters } from '../../support/rows/list-parameters.ts';
import { completeRow, deletionRow, startRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

interface Listed {
  readonly trace_id: string;
  readonly key: string;
  readonly sort_us: string;
}

test('continues behind a call, also among calls of the same time, in both directions', async () => {
  const at = (second: number) => ({ startedAt: `2026-01-31 12:00:0${second}.000000` });
  await database.insert('call_parts', [
    completeRow('p/one', { id: 'a', trace: 't1', ...at(1) }),
    completeRow('p/one', { id: 'b', trace: 't1', ...at(1) }),
    completeRow('p/one', { id: 'c', trace: 't2', ...at(1) }),
    startRow('p/one', { id: 'd', trace: 't2', ...at(2) }),
    completeRow('p/one', { id: 'e', trace: 't2', ...at(3) }),
    deletionRow('p/one', { id: 'e', trace: 't2' }),
    completeRow('p/two', { id: 'f', trace: 't1', ...at(1) }),
  ]);
  const read = (more: object) =>
    database.clickhouse.read<Listed>('list_calls', { ...listParameters('p/one'), ...more });
  for (const order of [{ direction: 1 }, { direction: -1 }, { by_end: true, direction: -1 }]) {
    const all = await read(order);
    expect(all).toHaveLength(4);
    const pages: Listed[] = [];
    for (;;) {
      const last = pages.at(-1);
      const place = last && {
        ...{ is_continued: true, after_us: last.sort_us },
        ...{ after_trace: last.trace_id, after_key: last.key },
      };
      const page = await read({ ...order, ...place, max_calls: 1 });
      if (page.length === 0) break;
      pages.push(...page);
    }
    expect(pages).toEqual(all);
  }
  const ascending = await read({});
  expect(ascending.map(({ trace_id }) => trace_id)).toEqual(['t1', 't1', 't2', 't2']);
  expect(await read({ offset: 1, max_calls: 2 })).toEqual(ascending.slice(1, 3));
});
