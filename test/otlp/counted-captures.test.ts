/** Sends real runs of instrumentations, and compares what is counted with what was spent, as far as the spans tell. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import { readText, tableOf } from '../support/markdown.ts';

const directory = new URL('captures/', import.meta.url);
const names = readdirSync(directory)
  .filter((file) => file.endsWith('.json') && file !== 'truth.json')
  .map((file) => file.slice(0, -'.json'.length));

const client = usageClientFixture();

interface ModelCounts {
  readonly requests: number;
  readonly input: number;
  readonly output: number;
  readonly cache_read: number;
  readonly cache_creation: number;
}

/** What truth.json says of a capture: `counted_by_root` is what was spent, without what spans do not report. */
interface Truth {
  readonly spent: Readonly<Record<string, ModelCounts>>;
  readonly counted_by_root: readonly {
    readonly span_id: string;
    readonly usage: Readonly<Record<string, ModelCounts>>;
  }[];
  readonly dropped_spans: readonly string[];
}

const truths = JSON.parse(readFileSync(new URL('truth.json', directory), 'utf8')) as Readonly<
  Record<string, Truth>
>;

async function sendCapture(name: string): Promise<string> {
  const { id } = client.newProject();
  const answer = await client.service.send('/otel/v1/traces', {
    method: 'POST',
    body: readFileSync(new URL(`${name}.json`, directory)),
    headers: { 'content-type': 'application/json', project_id: id },
  });
  expect(answer.status, answer.text).toBe(200);
  return id;
}

interface Bill {
  readonly requests: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly lines: readonly { readonly class: string; readonly tokens: number }[];
}

type Counted = Readonly<Record<string, Readonly<Record<string, ModelCounts>>>>;

/** By call and model; cached tokens are in explanations only. Their other counts must be those of /calls/usage. */
async function readCounted(project_id: string, call_ids: readonly string[]): Promise<Counted> {
  const body = { project_id, call_ids };
  const [usage, explanation] = await Promise.all(
    ['/calls/usage', '/usage/explain'].map((path) => client.service.send(path, { body })),
  );
  expect([usage?.status, explanation?.status]).toEqual([200, 200]);
  const [plain, bills] = [usage, explanation].map(
    (answer) => (answer?.json() as { call_usage: Record<string, Record<string, Bill>> }).call_usage,
  );
  return mapValues(bills ?? {}, (models, id) => {
    const counted = mapValues(models, toCounts);
    const used = Object.entries(counted).filter(([, { requests }]) => requests > 0);
    const expected = mapValues(plain?.[id] ?? {}, (bill) => [bill.requests, bill.prompt_tokens]);
    expect(expected).toEqual(
      Object.fromEntries(used.map(([model, { requests, input }]) => [model, [requests, input]])),
    );
    return Object.fromEntries(used);
  });
}

/** Those of one call alone, of all models together. */
async function readPromptTokens(project_id: string, id: string): Promise<number> {
  const body = { project_id, call_ids: [id] };
  const answer = await client.service.send('/calls/usage', { body });
  expect(answer.status, answer.text).toBe(200);
  const { call_usage } = answer.json() as { call_usage: Record<string, Record<string, Bill>> };
  const bills = Object.values(call_usage[id] ?? {});
  return bills.reduce((sum, { prompt_tokens }) => sum + prompt_tokens, 0);
}

function toCounts({ requests, prompt_tokens, completion_tokens, lines }: Bill): ModelCounts {
  const tokensOf = (name: string): number =>
    lines.filter((line) => line.class === name).reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    ...{ requests, input: prompt_tokens, output: completion_tokens },
    ...{ cache_read: tokensOf('cache_read'), cache_creation: tokensOf('cache_write') },
  };
}

function mapValues<From, To>(
  object: Readonly<Record<string, From>>,
  change: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, change(value, key)]),
  );
}

interface StoredSpan {
  readonly id: string;
  readonly trace_id: string;
  readonly parent_id: string;
  readonly input: string;
  readonly output: string;
}

async function readSpans(projectId: string): Promise<StoredSpan[]> {
  return await client.clickhouse.query<StoredSpan>(
    `SELECT id, trace_id, parent_id, toString(usage_fields[1].counters[2] + usage_fields[1].counters[5]) AS input,
      toString(usage_fields[1].counters[3] + usage_fields[1].counters[6]) AS output
    FROM call_parts FINAL WHERE project_id = '${projectId}'`,
  );
}

/** The stored input tokens of a span and all below it, without those that the truth drops. */
function sumInput(id: string, spans: readonly StoredSpan[], dropped: readonly string[]): number {
  let sum = 0;
  for (const span of spans) {
    if (span.id === id && !dropped.includes(id)) sum += Number(span.input);
    if (span.parent_id === id) sum += sumInput(span.id, spans, dropped);
  }
  return sum;
}

/** The table of docs/usage.md by capture. */
const documented = new Map(
  tableOf(readText('docs/usage.md'), 'capture').map(([name = '', ...cells]) => [name, cells]),
);

function format(count: number): string {
  return count.toLocaleString('en');
}

function sumCounts(all: readonly ModelCounts[]): ModelCounts {
  const sumOf = (name: keyof ModelCounts): number =>
    all.reduce((sum, counts) => sum + counts[name], 0);
  return {
    ...{ requests: sumOf('requests'), input: sumOf('input'), output: sumOf('output') },
    ...{ cache_read: sumOf('cache_read'), cache_creation: sumOf('cache_creation') },
  };
}

function toSpanCounts({ input, output }: StoredSpan): ModelCounts {
  return {
    ...{ requests: 0, input: Number(input), output: Number(output) },
    ...{ cache_read: 0, cache_creation: 0 },
  };
}

test('the captures are more than a few, and most repeat usage', () => {
  expect(names.length).toBeGreaterThanOrEqual(26);
  const repeating = names.filter((name) => (truths[name]?.dropped_spans.length ?? 0) > 0);
  expect(repeating.length).toBeGreaterThan(names.length / 3);
});

describe.each(names)('%s', (name) => {
  const truth = truths[name] ?? { spent: {}, counted_by_root: [], dropped_spans: [] };

  test('each root counts what was spent, as far as its spans tell', async () => {
    const projectId = await sendCapture(name);
    const ids = truth.counted_by_root.map(({ span_id }) => span_id);
    const expected = truth.counted_by_root.map(({ span_id, usage }) => [span_id, usage]);
    const counted = await readCounted(projectId, ids);
    expect(counted).toEqual(Object.fromEntries(expected));
    const roots = sumCounts(Object.values(counted).flatMap((models) => Object.values(models)));
    const spans = sumCounts((await readSpans(projectId)).map(toSpanCounts));
    const spent = sumCounts(Object.values(truth.spent));
    expect(documented.get(name)).toEqual([
      ...[spent, spans, roots].map(({ input, output }) => `${format(input)} / ${format(output)}`),
      ...[format(roots.requests), format(roots.cache_read)],
    ]);
  });

  test('each call counts what is below it but for what is repeated, alone and with all others', async () => {
    const projectId = await sendCapture(name);
    const spans = await readSpans(projectId);
    // What is dropped for a span beside it counts for itself.
    const ids = spans.map(({ id }) => id).filter((id) => !truth.dropped_spans.includes(id));
    const expected = ids.map((id) => [id, sumInput(id, spans, truth.dropped_spans)] as const);
    const sumOf = (counted: Counted, id: string) =>
      Object.values(counted[id] ?? {}).reduce((sum, { input }) => sum + input, 0);
    const all = await readCounted(
      projectId,
      spans.map(({ id }) => id),
    );
    expect(ids.map((id) => [id, sumOf(all, id)])).toEqual(expected);
    for (const [id, input] of expected) {
      expect([id, await readPromptTokens(projectId, id)]).toEqual([id, input]);
    }
  });
});
