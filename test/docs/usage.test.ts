import { beforeAll, expect, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { codeIn, readText, tableOf, uncoded } from '../support/markdown.ts';
import { openPipeline } from '../support/pipeline.ts';

const text = readText('docs/usage.md');
const rows = tableOf(text, 'call').map(
  ([call = '', parent = '', sentBy, spent = '', stored = '']) => ({
    call: uncoded(call),
    parent: uncoded(parent),
    isRolledUp: sentBy === 'SDK',
    spent: toCount(spent),
    stored: toCount(stored),
  }),
);
const methods = new Map(
  tableOf(text, 'method').map(([method, sum, ratio]) => [method, { sum, ratio }]),
);

const pipeline = fixture(openPipeline);
/** Prompt tokens in the answer, by call. */
let answeredTokens: ReadonlyMap<string, number>;
beforeAll(async () => {
  for (const statement of codeIn(text, 'sql')) await pipeline.execute(statement);
  const answer = (await pipeline.requestUsage({
    project_id: 'team/one',
    call_ids: rows.map(({ call }) => call),
  })) as { call_usage: Record<string, Record<string, { prompt_tokens: number }>> };
  answeredTokens = new Map(
    Object.entries(answer.call_usage).map(([call, models]) => [
      call,
      models['gpt-4o']?.prompt_tokens ?? 0,
    ]),
  );
});

test('the inserted rows of the example are those of its table', async () => {
  const inserted = await pipeline.select(
    `SELECT id AS call, parent_id AS parent, is_rolled_up = 1 AS rolled_up, usage_fields[1].counters[2] AS stored
     FROM call_parts SETTINGS output_format_json_quote_64bit_integers = 0`,
  );
  const documented = rows.map(({ call, parent, isRolledUp, stored }) => ({
    call,
    parent: parent === '–' ? '' : parent,
    rolled_up: isRolledUp ? 1 : 0,
    stored,
  }));
  expect(inserted).toHaveLength(documented.length);
  expect(inserted).toEqual(expect.arrayContaining(documented));
});

test('the answer for each call of the example is what it and its descendants spent', () => {
  for (const { call } of rows) expect(answeredTokens.get(call), call).toBe(toSpent(call));
});

test('the three methods give the documented sums and ratios', () => {
  const truth = toSpent('answer');
  const stored = rows.reduce((sum, row) => sum + row.stored, 0);
  const root = rows.find(({ call }) => call === 'answer')?.stored ?? 0;
  expect(toResult('sum of own usage')).toEqual([answeredTokens.get('answer'), '1 ×']);
  expect(toResult('sum of stored usage')).toEqual([stored, `${(stored / truth).toFixed(2)} ×`]);
  expect(toResult('stored usage of the root')).toEqual([root, `${(root / truth).toFixed(2)} ×`]);
});

/** The tokens that a call and its descendants spent, by the table. */
function toSpent(call: string): number {
  const own = rows.find((row) => row.call === call)?.spent ?? 0;
  return rows
    .filter(({ parent }) => parent === call)
    .reduce((sum, row) => sum + toSpent(row.call), own);
}

function toResult(method: string): [number, string | undefined] {
  const { sum = '', ratio } = methods.get(method) ?? {};
  return [toCount(sum.split('=').at(-1) ?? ''), ratio];
}

function toCount(cell: string): number {
  return Number(cell.replaceAll(',', ''));
}
