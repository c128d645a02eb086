import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { looseEndRow, type Row, startRow, wholeRow } from './part-rows.ts';

let opened: TestEngine;
beforeAll(async () => {
  opened = await openTestEngine();
});
afterAll(() => opened.close());

type Answer = Row & {
  readonly is_plain?: 0 | 1;
  readonly call_key: string;
  readonly model: string;
};

async function read(
  name: 'calls_usage' | 'calls_usage_plain',
  project_id: string,
): Promise<Answer[]> {
  const parameters = { project_id, call_ids: ['root', 'a', 'gone'], include_costs: true };
  const rows = await opened.engine.read<Answer>(name, parameters);
  const keyOf = (row: Answer): string => `${row.call_key} ${row.model}`;
  return rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const rolledUp = { attributes_dump: '{"weave":{"source":"js-sdk"}}' };
const use = (n: number) => ({
  'gpt-4o': { requests: 1, prompt_tokens: n },
  other: { output_tokens: n },
});

/** root > a > b, and a root that runs. */
function treeOf(project: string): Row[] {
  return [
    wholeRow(project, { id: 'root', usage: use(1) }),
    wholeRow(project, { id: 'a', parent: 'root', usage: use(10) }),
    wholeRow(project, { id: 'b', parent: 'a', usage: use(100) }),
    startRow(project, { id: 'running', parent: 'b' }),
  ];
}

test('on plain traces it answers as calls_usage does', async () => {
  await opened.insert('call_parts', treeOf('plain'));
  const rows = await read('calls_usage_plain', 'plain');
  expect(rows.length).toBeGreaterThan(3);
  expect(rows.every((row) => row.is_plain === 1)).toBe(true);
  expect(rows.map(({ is_plain: _, ...row }) => row)).toEqual(await read('calls_usage', 'plain'));
});

test('it says that it does not suffice where an SDK may have rolled usage up', async () => {
  const rolled = wholeRow('rolled', { id: 'c', parent: 'b', usage: use(5) }, rolledUp);
  await opened.insert('call_parts', [...treeOf('rolled'), rolled]);
  expect((await read('calls_usage_plain', 'rolled')).map((row) => row.is_plain)).toContain(0);
});

test('a rolled-up call in another trace does not concern it', async () => {
  const rolled = wholeRow('apart', { id: 'c', trace: 'another', usage: use(5) }, rolledUp);
  await opened.insert('call_parts', [...treeOf('apart'), rolled]);
  expect((await read('calls_usage_plain', 'apart')).map((row) => row.is_plain)).not.toContain(0);
});

test('it says that it does not suffice where an end came before its start without a trace', async () => {
  const loose = looseEndRow('loose', { id: 'running', usage: use(5) });
  await opened.insert('call_parts', [loose, ...treeOf('loose')]);
  expect((await read('calls_usage_plain', 'loose')).map((row) => row.is_plain)).not.toContain(1);
});

test('what the two statements have in common stands in both, word for word', () => {
  const [plain, general] = ['calls_usage_plain', 'calls_usage'].map((name) =>
    readFileSync(new URL(`../../sql/queries/${name}.sql`, import.meta.url), 'utf8'),
  ) as [string, string];
  const common = [
    ['WITH RECURSIVE', ') AS asked,'],
    ['price_rows AS', ') AS price_dates,'],
    ['jump AS', 'FROM'],
    ['    UNION ALL', 'GROUP BY call_key, model, period_us'],
    ['    any(sums.call_id)', 'SETTINGS'],
  ] as const;
  // Only the plain one still has to know whether a call was rolled up.
  const shared = plain.replace(/^.*is_rolled_up,?.*\n/gm, '');
  for (const [from, to] of common) expect(cut(shared, from, to)).toBe(cut(general, from, to));
});

function cut(text: string, from: string, to: string): string {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start);
  expect(start, from).toBeGreaterThan(-1);
  expect(end, to).toBeGreaterThan(start);
  return text.slice(start, end);
}
