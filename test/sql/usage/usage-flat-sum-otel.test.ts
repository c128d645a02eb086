import { describe, expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { endRow, startRow, type Row } from '../../support/rows/part-rows.ts';
import { readFlatSum } from '../../support/read-usage.ts';
import { type SpanShape, spanRow } from '../../support/rows/span-rows.ts';

const opened = clickhouseFixture();

let projects = 0;

/** The prompt tokens of the trace of `root`; undefined if its rows say that the rule is needed. */
async function read(toRows: (project: string) => Row[]): Promise<number | undefined> {
  projects += 1;
  const project_id = `p/${projects}`;
  await opened.insert('call_parts', toRows(project_id));
  const query = { project_id, call_ids: ['root'], include_costs: false, is_explained: false };
  const rows = await readFlatSum(opened.clickhouse, 'usage_flat_sum_otel', query);
  return rows?.reduce((sum, row) => sum + Number(row.prompt_tokens), 0);
}

async function readSpans(...spans: readonly SpanShape[]): Promise<number | undefined> {
  return await read((project) => spans.map((span) => spanRow(project, span)));
}

const root: SpanShape = { id: 'root', kind: 'agent', time: [0, 90] };
const first: SpanShape = { id: 'one', parent: 'root', time: [10, 20], scope: 1, tokens: 40 };
const second: SpanShape = { ...first, id: 'two', time: [11, 19], scope: 2, tokens: 2 };

describe('usage_flat_sum_otel is right', () => {
  test('for spans of two scopes below an agent without usage', async () => {
    expect(await readSpans(root, first, second)).toBe(42);
  });

  test('for a span with usage above a tool without usage', async () => {
    const tool: SpanShape = { id: 'tool', parent: 'one', kind: 'tool', time: [12, 15] };
    const inTool: SpanShape = { ...second, parent: 'tool', time: [13, 14] };
    expect(await readSpans(root, first, tool, inTool)).toBe(42);
  });

  test('for an agent with the response of a span below it', async () => {
    const agent: SpanShape = { ...root, id: 'agent', parent: 'root', time: [5, 80], response: 'r' };
    expect(await readSpans(root, agent, { ...first, parent: 'agent', response: 'r' })).toBe(40);
  });

  test('for equal spans of one scope, and for equal spans with other parents', async () => {
    expect(await readSpans(root, first, { ...first, id: 'two', time: [30, 40] })).toBe(80);
    const step: SpanShape = { id: 'step', parent: 'root', kind: 'other', time: [5, 80] };
    expect(await readSpans(root, first, step, { ...second, tokens: 40, parent: 'step' })).toBe(80);
  });
});

describe('usage_flat_sum_otel needs the rule', () => {
  test('for a span with usage above any other span, even if that has no usage', async () => {
    expect(await readSpans({ ...root, tokens: 2 }, first)).toBeUndefined();
    const step: SpanShape = { id: 'step', parent: 'root', kind: 'other', time: [1, 80] };
    expect(await readSpans({ ...root, tokens: 2 }, step)).toBeUndefined();
  });

  test('for a span with usage above a tool with usage', async () => {
    const tool: SpanShape = { ...second, kind: 'tool' };
    expect(await readSpans({ ...root, tokens: 2 }, tool)).toBeUndefined();
  });

  test('for a span with usage whose parts are not merged', async () => {
    const usage = { m: { requests: 1, input_tokens: 2 } };
    const parts = (project: string): Row[] => [
      startRow(project, { id: 'root', startedAt: '2026-01-31 12:00:00.000000' }, { usage_mode: 2 }),
      endRow(project, { id: 'root', usage }),
    ];
    expect(await read(parts)).toBe(2);
    expect(await read((project) => [...parts(project), spanRow(project, first)])).toBeUndefined();
  });

  test('for two spans with one response', async () => {
    const spans = [first, second].map((span) => ({ ...span, response: 'r' }));
    expect(await readSpans(root, ...spans)).toBeUndefined();
  });

  test('for two spans of different scopes with one parent and the same counts', async () => {
    expect(await readSpans(root, first, { ...second, tokens: 40 })).toBeUndefined();
  });

  test('for a span with requests but without tokens', async () => {
    const summary_dump = '{"usage":{"m":{"requests":1,"input_tokens":0}}}';
    const rows = (project: string): Row[] => [spanRow(project, root, { summary_dump })];
    expect(await read(rows)).toBeUndefined();
  });
});
