import { expect, test } from 'vitest';
import { completeRow } from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { rewriteWhenFree } from '../../support/clickhouse/rewrite.ts';

const opened = clickhouseFixture();

test('erase_payloads empties the payload columns of all parts and changes nothing else', async () => {
  const shape = { usage: { m: { prompt_tokens: 7 } } };
  await opened.insert('call_parts', [
    completeRow('p/one', { id: 'a', ...shape }, { inputs_dump: '[1]', exception: 'broke' }),
    completeRow('p/two', { id: 'b', ...shape }, { output_dump: '{"id":"x"}', otel_dump: '{}' }),
    completeRow('p/two', { id: 'c', ...shape }),
  ]);
  const read = async (): Promise<object[]> =>
    await opened.query<object>('SELECT *, has_payload, usage_fields FROM call_parts ORDER BY id');
  const before = await read();
  const statements = { count: 'count_payloads', alter: 'erase_payloads' } as const;
  expect(await rewriteWhenFree(opened.clickhouse, statements)).toBe(2);
  const erased = { inputs_dump: '{}', output_dump: 'null', exception: '', otel_dump: '' };
  expect(await read()).toEqual(before.map((row) => ({ ...row, ...erased, has_payload: 0 })));
  expect(await rewriteWhenFree(opened.clickhouse, statements)).toBe(0);
});
