import { expect, test } from 'vitest';
import { completeRow, deletionRow } from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

test('count_deleted_payloads counts the parts of deleted calls with a payload', async () => {
  const { clickhouse, database } = opened;
  const count = async (): Promise<unknown> =>
    await clickhouse.read('count_deleted_payloads', { database });
  expect(await count()).toEqual([{ parts: '0' }]);
  await opened.insert('call_parts', [
    ...[{ inputs_dump: '[1]' }, { output_dump: '0' }, { exception: 'x' }, { otel_dump: '{}' }].map(
      (payload, index) => completeRow('p/one', { id: `deleted ${index}` }, payload),
    ),
    completeRow('p/one', { id: 'deleted 4' }, { inputs_dump: '{}', output_dump: 'null' }),
    completeRow('p/one', { id: 'kept' }, { exception: 'x' }),
    completeRow('p/two', { id: 'deleted 1' }, { exception: 'x' }),
    ...[0, 1, 2, 3, 4].map((index) => deletionRow('p/one', { id: `deleted ${index}` })),
  ]);
  expect(await count()).toEqual([{ parts: '4' }]);
});
