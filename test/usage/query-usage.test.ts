import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { createUsageReader } from '../../src/usage/query-usage.ts';
import {
  deletionRow,
  orphanEndRow,
  type Row,
  startRow,
  completeRow,
} from '../support/part-rows.ts';
import { openTestClickHouse, type TestClickHouse } from '../support/clickhouse.ts';
import { promptUsage } from '../support/usage-client.ts';

let opened: TestClickHouse;
/** The queries that were sent to ClickHouse, in order. */
let sent: string[] = [];
let clickhouse: Pick<ClickHouse, 'read' | 'write'>;
beforeAll(async () => {
  opened = await openTestClickHouse();
  clickhouse = {
    read: (name, ...rest) => {
      sent.push(name);
      return opened.clickhouse.read(name, ...rest);
    },
    write: (name, ...rest) => {
      sent.push(name);
      return opened.clickhouse.write(name, ...rest);
    },
  };
});
afterAll(() => opened.close());

type Reader = ReturnType<typeof createUsageReader>;

/** Asks of the call `root` and returns its prompt tokens, and with which queries they were read. */
async function ask(reader: Reader, project_id: string): Promise<{ prompt: number; by: string[] }> {
  sent = [];
  const parameters = { project_id, call_ids: ['root'], include_costs: false };
  const rows = await reader(parameters, new AbortController().signal);
  const prompt = rows.reduce((sum, row) => sum + Number(row.prompt_tokens), 0);
  return { prompt, by: sent };
}

const newReader = (): Reader => createUsageReader(clickhouse as ClickHouse);

async function insert(...rows: readonly Row[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

const rolledUp = { attributes_dump: '{"weave":{"usage_rollup":"rolled_up"}}' };
const [first, second, third] = ['00', '01', '02'].map((s) => `2026-01-31 12:00:${s}.000000`) as [
  string,
  string,
  string,
];
const root = { id: 'root', startedAt: first, usage: promptUsage(10) };
const child = { id: 'child', parent: 'root', startedAt: second, usage: promptUsage(3) };
const [roots, rolledUpRoots, tree] = [
  'usage_flat_sum',
  'usage_flat_sum_rolled_up',
  'usage_tree_walk',
];
const [look, lookForEnds] = ['locate_calls', 'count_orphan_ends'];

describe('after a look at where the calls are, one statement', () => {
  test('answers for whole traces whose usage is not rolled up', async () => {
    await insert(completeRow('p/plain', root), completeRow('p/plain', child));
    expect(await ask(newReader(), 'p/plain')).toEqual({ prompt: 10 + 3, by: [look, roots] });
  });

  test('answers for whole traces whose usage is', async () => {
    await insert(completeRow('p/rolled', root, rolledUp), completeRow('p/rolled', child, rolledUp));
    // The root's 10 tokens hold the child's 3.
    expect(await ask(newReader(), 'p/rolled')).toEqual({ prompt: 10, by: [look, rolledUpRoots] });
  });

  test('answers for calls that are no roots', async () => {
    await insert(
      completeRow('p/inner', child),
      completeRow('p/inner', { ...root, parent: 'above' }),
    );
    expect(await ask(newReader(), 'p/inner')).toEqual({ prompt: 10 + 3, by: [look, tree] });
  });

  test('is not needed for calls that are not there', async () => {
    expect(await ask(newReader(), 'p/nobody')).toEqual({ prompt: 0, by: [look] });
  });
});

describe('the statement for trees is asked next', () => {
  test('where a trace turns out to be none, or several', async () => {
    await insert(completeRow('p/two', root), completeRow('p/two', { ...child, parent: '' }));
    expect(await ask(newReader(), 'p/two')).toEqual({ prompt: 10, by: [look, roots, tree] });
  });

  test('where a call below the root turns out to be rolled up, and was never added', async () => {
    const leaf = { id: 'leaf', parent: 'child', startedAt: third, usage: promptUsage(5) };
    await insert(
      completeRow('p/mixed', root),
      completeRow('p/mixed', child, rolledUp),
      completeRow('p/mixed', leaf, rolledUp),
    );
    const by = [look, roots, rolledUpRoots, tree];
    expect(await ask(newReader(), 'p/mixed')).toEqual({ prompt: 10 + 3 + 5, by });
  });
});

describe('an end that came before its start and without a trace id', () => {
  test('is found when a question meets the call without it, and belongs to it from then on', async () => {
    await insert(orphanEndRow('p/loose', root), startRow('p/loose', root));
    const reader = newReader();
    const by = [look, roots, lookForEnds, 'repair_orphan_ends', look, roots];
    expect(await ask(reader, 'p/loose')).toEqual({ prompt: 10, by });
    expect(await ask(newReader(), 'p/loose')).toEqual({ prompt: 10, by: [look, roots] });
  });

  test('is not looked for where no call lacks one, and looked for once where there is none', async () => {
    await insert(startRow('p/open', root), orphanEndRow('p/open', child));
    expect(await ask(newReader(), 'p/open')).toEqual({ prompt: 0, by: [look, roots, lookForEnds] });
  });

  test('is found too where its call is deleted, as its usage has to leave the parent’s', async () => {
    await insert(
      completeRow('p/gone', root, rolledUp),
      startRow('p/gone', child, rolledUp),
      orphanEndRow('p/gone', child),
      deletionRow('p/gone', child),
    );
    const once = [look, rolledUpRoots, tree];
    const by = [...once, lookForEnds, 'repair_orphan_ends', ...once];
    // The root's 10 tokens hold the deleted child's 3.
    expect(await ask(newReader(), 'p/gone')).toEqual({ prompt: 10 - 3, by });
  });
});

describe('models without a price are looked up, each once a question', () => {
  /** Asks of a call that used such models; says which names were looked up, and how often the call was read. */
  async function learning(project_id: string, found: readonly string[], include_costs = true) {
    const unpriced = { 'nobody-a': { prompt_tokens: 1 }, 'nobody-b': { prompt_tokens: 1 } };
    const usage = { ...unpriced, 'gpt-4o': { prompt_tokens: 1 } };
    // 0003_default_prices.sql has a price of gpt-4o.
    await insert(completeRow(project_id, { ...root, usage }), completeRow(project_id, child));
    const asked: string[][] = [];
    const reader = createUsageReader(clickhouse as ClickHouse, (names) => {
      asked.push([...names].sort());
      return Promise.resolve(new Set(found));
    });
    sent = [];
    const parameters = { project_id, call_ids: ['root'], include_costs };
    await reader(parameters, new AbortController().signal);
    return { asked, readings: sent.filter((name) => name === roots).length };
  }

  const names = ['m', 'nobody-a', 'nobody-b'];

  test('and rows are read once more when any was found', async () => {
    expect(await learning('p/found', ['m'])).toEqual({ asked: [names], readings: 2 });
  });

  test('and what was read stands when none was', async () => {
    expect(await learning('p/unknown', [])).toEqual({ asked: [names], readings: 1 });
  });

  test('but not where nobody asks for costs', async () => {
    expect(await learning('p/free', ['m'], false)).toEqual({ asked: [], readings: 1 });
  });
});
