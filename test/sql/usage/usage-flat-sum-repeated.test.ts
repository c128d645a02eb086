import { describe, expect, test } from 'vitest';
import { callKey } from '../../oracle/call-key.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { deletionRow, type Row } from '../../support/rows/part-rows.ts';
import { readFlatSum } from '../../support/read-usage.ts';
import { type SpanShape, spanRow } from '../../support/rows/span-rows.ts';

const opened = clickhouseFixture();

let projects = 0;

/** The prompt tokens of the trace of `root`; undefined if its rows say that another statement is needed. */
async function read(toRows: (project: string) => Row[]): Promise<number | undefined> {
  projects += 1;
  const project_id = `p/${projects}`;
  await opened.insert('call_parts', toRows(project_id));
  const query = { project_id, call_ids: ['root'], include_costs: false, is_explained: false };
  const rows = await readFlatSum(opened.clickhouse, 'usage_flat_sum_repeated', query);
  if (rows === undefined) return undefined;
  const calls = rows.reduce((sum, row) => sum + Number(row.calls), 0);
  expect(calls).toBe(toRows(project_id).length);
  return rows.reduce((sum, row) => sum + Number(row.prompt_tokens), 0);
}

async function readSpans(...spans: readonly SpanShape[]): Promise<number | undefined> {
  return await read((project) => spans.map((span) => spanRow(project, span)));
}

const root: SpanShape = { id: 'root', kind: 'agent', time: [0, 90] };
const first: SpanShape = { id: 'one', parent: 'root', time: [10, 30], scope: 1, tokens: 40 };
const second: SpanShape = { ...first, id: 'two', time: [12, 28], scope: 2, tokens: 2 };

/** An agent with usage above `length` spans without usage, each below the one before, and a model call below these. */
function chain(length: number): SpanShape[] {
  const steps = Array.from({ length }, (_, index): SpanShape => {
    const parent = index === 0 ? 'root' : `step-${index - 1}`;
    return { id: `step-${index}`, parent, kind: 'other', time: [1 + index, 80 - index] };
  });
  return [
    { ...root, tokens: 900 },
    ...steps,
    { ...first, parent: steps.at(-1)?.id ?? 'root', time: [40, 50] },
  ];
}

describe('usage_flat_sum_repeated leaves out', () => {
  test('what a span with usage below it repeats, through spans without usage', async () => {
    const step: SpanShape = { id: 'step', parent: 'root', kind: 'other', time: [1, 80] };
    const outer: SpanShape = { id: 'outer', parent: 'step', time: [2, 70], tokens: 40 };
    const inner: SpanShape = { ...outer, id: 'inner', parent: 'outer', time: [3, 60], tokens: 60 };
    const other: SpanShape = { ...second, parent: 'step', tokens: 8 };
    expect(await readSpans({ ...root, tokens: 900 }, step, outer, inner, other)).toBe(68);
  });

  test.each([0, 1, 2, 15])('what is repeated above %i spans without usage', async (length) => {
    expect(await readSpans(...chain(length))).toBe(40);
  });

  test('what a tool with usage repeats, but nothing above a tool', async () => {
    const tool: SpanShape = { id: 'tool', parent: 'root', kind: 'tool', time: [1, 80] };
    expect(await readSpans({ ...root, tokens: 10 }, tool, { ...first, parent: 'tool' })).toBe(50);
    const used = { ...tool, tokens: 300 };
    expect(await readSpans({ ...root, tokens: 10 }, used, { ...first, parent: 'tool' })).toBe(40);
  });

  test('of spans with one response all but the one that started last', async () => {
    const step: SpanShape = { id: 'step', parent: 'root', kind: 'other', time: [1, 80] };
    const outer = { ...first, response: 'r' };
    expect(await readSpans(root, outer, step, { ...second, parent: 'step', response: 'r' })).toBe(
      2,
    );
    const early: SpanShape = { ...second, parent: 'step', time: [9, 28], response: 'r' };
    expect(await readSpans(root, outer, step, early)).toBe(40);
  });

  test('of those that started together, all but the one that ended first', async () => {
    const outer = { ...first, response: 'r' };
    expect(await readSpans(root, outer, { ...second, time: [10, 29], response: 'r' })).toBe(2);
    expect(await readSpans(root, outer, { ...second, time: [10, 31], response: 'r' })).toBe(40);
  });

  test('of those with the same times, all but the one with the greatest key', async () => {
    const outer = { ...first, response: 'r' };
    const isFirst = callKey('trace', 'one') > callKey('trace', 'two');
    const inner: SpanShape = { ...second, time: [10, 30], response: 'r' };
    expect(await readSpans(root, outer, inner)).toBe(isFirst ? 40 : 2);
  });

  test('the outer ones of twins', async () => {
    const inner = { ...second, tokens: 40 };
    expect(await readSpans(root, first, inner)).toBe(40);
    expect(await readSpans(root, first, { ...inner, response: 'r' })).toBe(40);
    const third: SpanShape = { ...inner, id: 'three', time: [13, 27], scope: 3 };
    const next: SpanShape = { ...first, id: 'next', time: [50, 60] };
    expect(await readSpans(root, first, inner, third, next)).toBe(80);
    expect(await readSpans(root, first, { ...inner, time: [10, 30] })).toBe(40);
    const other: SpanShape = { ...third, time: [11, 29], tokens: 8 };
    expect(await readSpans(root, first, inner, other)).toBe(48);
  });

  test('spans without tokens', async () => {
    const summary_dump = '{"usage":{"m":{"requests":1,"input_tokens":0}}}';
    const raw: SpanShape = { id: 'raw', parent: 'one', time: [11, 20] };
    const toRows = (project: string): Row[] => [
      ...[root, first].map((span) => spanRow(project, span)),
      spanRow(project, raw, { summary_dump }),
    ];
    expect(await read(toRows)).toBe(40);
  });
});

describe('usage_flat_sum_repeated counts', () => {
  test('an agent with the response of a call beside it', async () => {
    const agent: SpanShape = { ...second, kind: 'agent', response: 'r' };
    expect(await readSpans(root, { ...first, response: 'r' }, agent)).toBe(42);
  });

  test.each<[string, Partial<SpanShape>, Partial<SpanShape>]>([
    ['of one scope', { scope: 1 }, {}],
    ['of other counts', { tokens: 42 }, {}],
    ['of which one is no inference', { kind: 'other' }, {}],
    ['that overlap only', { time: [12, 31] }, {}],
    ['with two responses', { response: 'a' }, { response: 'b' }],
  ])('equal spans %s', async (_what, ofInner, ofOuter) => {
    const inner: SpanShape = { ...first, id: 'two', time: [12, 28], scope: 2, ...ofInner };
    const sum = 40 + (inner.tokens ?? 0);
    expect(await readSpans(root, { ...first, ...ofOuter }, inner)).toBe(sum);
  });

  test('equal spans with two parents', async () => {
    const step: SpanShape = { id: 'step', parent: 'root', kind: 'other', time: [1, 80] };
    expect(await readSpans(root, first, step, { ...second, tokens: 40, parent: 'step' })).toBe(80);
  });

  test('calls whose mode is own, whatever is below them', async () => {
    const toRows = (project: string): Row[] => [
      spanRow(project, { ...root, tokens: 900 }, { usage_mode: 0 }),
      spanRow(project, first),
    ];
    expect(await read(toRows)).toBe(940);
  });
});

describe('usage_flat_sum_repeated needs another statement', () => {
  test('for usage above 16 spans without usage, each below the one before', async () => {
    expect(await readSpans(...chain(16))).toBeUndefined();
  });

  test('for a deleted span, a missing parent, several roots and a cycle', async () => {
    const toDeleted = (project: string): Row[] => [
      ...[root, first].map((span) => spanRow(project, span)),
      deletionRow(project, { id: 'one' }),
    ];
    expect(await read(toDeleted)).toBeUndefined();
    expect(await readSpans(root, { ...first, parent: 'late' })).toBeUndefined();
    expect(await readSpans(root, { ...root, id: 'second' })).toBeUndefined();
    const inCycle: SpanShape = { ...second, parent: 'one' };
    expect(await readSpans(root, { ...first, parent: 'two' }, inCycle)).toBeUndefined();
    expect(await readSpans(root, { ...first, parent: 'one' })).toBeUndefined();
  });

  test('for a call whose mode is own and that has a response', async () => {
    const toRows = (project: string): Row[] => [
      spanRow(project, root),
      spanRow(project, { ...first, response: 'r' }),
      spanRow(project, { ...second, response: 'r' }, { usage_mode: 0 }),
    ];
    expect(await read(toRows)).toBeUndefined();
  });

  test('for more than 100 calls with usage of which some may be twins', async () => {
    const calls = Array.from({ length: 99 }, (_, index): SpanShape => ({
      ...{ ...first, id: `call-${index}`, time: [50, 60] },
      tokens: 1,
    }));
    const inner = { ...second, tokens: 40 };
    expect(await readSpans(root, first, ...calls.slice(1), inner)).toBe(98 + 40);
    expect(await readSpans(root, first, ...calls, inner)).toBeUndefined();
  });

  test('for more than 10,000 calls', async () => {
    const calls = Array.from({ length: 10_000 }, (_, index): SpanShape => ({
      ...{ ...first, id: `call-${index}`, time: [50, 60] },
      tokens: 1,
    }));
    expect(await readSpans(root, ...calls.slice(1))).toBe(9_999);
    expect(await readSpans(root, ...calls)).toBeUndefined();
  });
});
