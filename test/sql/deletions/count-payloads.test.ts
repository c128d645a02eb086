import { expect, test } from 'vitest';
import { completeRow, deletionRow } from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

test('count_payloads counts the parts with a payload, of deleted calls too', async () => {
  await opened.insert('call_parts', [
    completeRow('p/one', { id: 'a' }, { exception: 'x' }),
    completeRow('p/two', { id: 'b' }, { inputs_dump: '[1]' }),
    completeRow('p/two', { id: 'c' }),
    deletionRow('p/two', { id: 'b' }),
  ]);
  expect(await opened.clickhouse.read('count_payloads', {})).toEqual([{ parts: '2' }]);
});
