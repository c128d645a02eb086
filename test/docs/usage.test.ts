import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeIn, readText, tableOf, uncoded } from '../support/markdown.ts';
import { openPipeline, type Pipeline } from '../support/pipeline.ts';

const text = readText('docs/usage.md');
const rows = tableOf(text, 'call').map(
  ([call = '', below = '', sentBy, spent = '', stored = '']) => ({
    call: uncoded(call),
    below: uncoded(below),
    isRolledUp: sentBy === 'SDK',
    spent: toCount(spent),
    stored: toCount(stored),
  }),
);
const ways = new Map(
  tableOf(text, 'way of counting').map(([way, sum, ratio]) => [way, { sum, ratio }]),
);

let pipeline: Pipeline;
let answered: ReadonlyMap<string, number>;
beforeAll(async () => {
  pipeline = await openPipeline();
  for (const statement of codeIn(text, 'sql')) await pipeline.run(statement);
  const answer = (await pipeline.ask({
    project_id: 'team/one',
    call_ids: rows.map(({ call }) => call),
  })) as { call_usage: Record<string, Record<string, { prompt_tokens: number }>> };
  answered = new Map(
    Object.entries(answer.call_usage).map(([call, models]) => [
      call,
      models['gpt-4o']?.prompt_tokens ?? 0,
    ]),
  );
});
afterAll(() => pipeline.close());

test('the worked trace is what its table says', async () => {
  const inserted = await pipeline.look(
    `SELECT id AS call, parent_id AS below, is_rolled_up = 1 AS rolled_up, usage[1].prompt AS stored
     FROM call_parts SETTINGS output_format_json_quote_64bit_integers = 0`,
  );
  const documented = rows.map(({ call, below, isRolledUp, stored }) => ({
    call,
    below: below === '–' ? '' : below,
    rolled_up: isRolledUp ? 1 : 0,
    stored,
  }));
  expect(inserted).toHaveLength(documented.length);
  expect(inserted).toEqual(expect.arrayContaining(documented));
});

test('every call of the worked trace is answered with what it and its descendants spent', () => {
  for (const { call } of rows) expect(answered.get(call), call).toBe(toSpent(call));
});

test('the three ways of counting come to what the table says', () => {
  const truth = toSpent('answer');
  const stored = rows.reduce((sum, row) => sum + row.stored, 0);
  const root = rows.find(({ call }) => call === 'answer')?.stored ?? 0;
  expect(toResult('sum of own usage')).toEqual([answered.get('answer'), '1 ×']);
  expect(toResult('sum of what is stored')).toEqual([stored, `${(stored / truth).toFixed(2)} ×`]);
  expect(toResult("the root's number")).toEqual([root, `${(root / truth).toFixed(2)} ×`]);
});

/** What a call and everything below it really spent. */
function toSpent(call: string): number {
  const own = rows.find((row) => row.call === call)?.spent ?? 0;
  return rows
    .filter(({ below }) => below === call)
    .reduce((sum, row) => sum + toSpent(row.call), own);
}

function toResult(way: string): [number, string | undefined] {
  const { sum = '', ratio } = ways.get(way) ?? {};
  return [toCount(sum.split('=').at(-1) ?? ''), ratio];
}

function toCount(cell: string): number {
  return Number(cell.replaceAll(',', ''));
}
