import { describe, expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { flatSumQueries, readFlatSum, readUsage } from '../../support/read-usage.ts';

const opened = clickhouseFixture();

const rolledUp = { attributes_dump: '{"weave":{"usage_rollup":"rolled_up"}}' };

let projects = 0;

/** The flat sum queries that report that they are right for a trace; their rows must equal those of the tree walk. */
async function whichAreRight(root: object, child: object, more = {}): Promise<string[]> {
  projects += 1;
  const project_id = `p/${projects}`;
  await opened.insert('call_parts', [
    completeRow(project_id, { id: '1', usage: { m: root } }, more),
    completeRow(project_id, { id: '2', parent: '1', usage: { m: child } }, more),
  ]);
  const call_ids = ['1'];
  await readUsage(opened.clickhouse, project_id, call_ids, true);
  const query = { project_id, call_ids, include_costs: true, is_explained: false };
  const right: string[] = [];
  for (const name of flatSumQueries) {
    if ((await readFlatSum(opened.clickhouse, name, query)) !== undefined) right.push(name);
  }
  return right;
}

describe('usage_flat_sum_counted is the only flat sum that is right', () => {
  const plain = { requests: 1, prompt_tokens: 100, completion_tokens: 100 };
  const sum = { requests: 2, prompt_tokens: 200, completion_tokens: 200 };

  test.each([
    ['total tokens beyond the counts', { prompt_tokens: 1, completion_tokens: 1, total_tokens: 3 }],
    ['cached tokens beyond the prompt', { prompt_tokens: 1, cache_read_input_tokens: 2 }],
    ['counts of two APIs', { prompt_tokens: 1, input_tokens: 2 }],
    ['completions of two APIs', { completion_tokens: 1, output_tokens: 1, total_tokens: 1 }],
    [
      'cached tokens under two names',
      { prompt_tokens: 3, cache_read_input_tokens: 1, prompt_tokens_details: { cached_tokens: 1 } },
    ],
    ['tokens of thoughts', { prompt_tokens: 1, completion_tokens: 1, thoughts_tokens: 1 }],
    ['a request that reports no tokens', { requests: 1 }],
    ['audio tokens', { prompt_tokens: 5, prompt_tokens_details: { audio_tokens: 2 } }],
  ])('for %s', async (_what, entry) => {
    expect(await whichAreRight(plain, entry)).toEqual(['usage_flat_sum_counted']);
    expect(await whichAreRight(entry, plain, rolledUp)).toEqual(['usage_flat_sum_counted']);
    expect(await whichAreRight(sum, entry, rolledUp)).toEqual(['usage_flat_sum_counted']);
  });

  test('for a rest with more cached tokens than prompt tokens', async () => {
    const root = { prompt_tokens: 100, cache_read_input_tokens: 60 };
    const child = { prompt_tokens: 60, cache_read_input_tokens: 10 };
    expect(await whichAreRight(root, child, rolledUp)).toEqual(['usage_flat_sum_counted']);
  });

  test("for Anthropic's own counts, which are beside the cached ones, from an SDK that sends them as they are", async () => {
    const entry = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 3 };
    const native = { ...entry, service_tier: 'standard' };
    const from = (client_version: string) => ({
      attributes_dump: JSON.stringify({
        weave: { source: 'js-sdk', client_version, usage_rollup: 'own' },
      }),
    });
    const counted = ['usage_flat_sum_counted'];
    expect(await whichAreRight(native, native, from('0.9.0'))).toEqual(counted);
    expect(await whichAreRight(native, native, from('0.12.1'))).toEqual([...flatSumQueries]);
    expect(await whichAreRight(entry, entry, from('0.9.0'))).toEqual([...flatSumQueries]);
  });

  test('but not for usage that sums say enough about', async () => {
    expect(await whichAreRight(plain, plain)).toEqual([...flatSumQueries]);
    const rolledUpQueries = ['usage_flat_sum_rolled_up', 'usage_flat_sum_counted'];
    expect(await whichAreRight(sum, plain, rolledUp)).toEqual(rolledUpQueries);
  });
});
