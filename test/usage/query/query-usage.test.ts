import { describe, expect, test } from 'vitest';
import type { ClickHouse } from '../../../src/clickhouse/clickhouse.ts';
import { MemoryBudget } from '../../../src/memory-budget.ts';
import { readPriceBook } from '../../../src/prices/catalog/price-book.ts';
import { PriceSnapshots } from '../../../src/prices/snapshot/price-snapshots.ts';
import { readUsage } from '../../../src/usage/calls-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import {
  deletionRow,
  orphanEndRow,
  type Row,
  startRow,
  completeRow,
} from '../../support/rows/part-rows.ts';
import { spanRow } from '../../support/rows/span-rows.ts';
import { promptUsage } from '../../support/usage-client.ts';

const database = clickhouseFixture();

/** Reads the usage of a call; `queries` are those that were sent to ClickHouse, in order. */
async function queryRoot(project_id: string, id = 'root') {
  const queries: string[] = [];
  const clickhouse = {
    read: (name, ...rest) => {
      queries.push(name);
      return database.clickhouse.read(name, ...rest);
    },
    write: (name, ...rest) => {
      queries.push(name);
      return database.clickhouse.write(name, ...rest);
    },
  } as ClickHouse;
  const prices = new PriceSnapshots({ clickhouse, readBook: readPriceBook, maxProjectRows: 1 });
  const query = { project_id, call_ids: [id], include_costs: false, is_explained: false };
  const budget = new MemoryBudget({ totalBytes: 1e6, perKeyBytes: 1e6 });
  const { signal } = new AbortController();
  const context = { signal, reservation: budget.open('key', 'response'), maxBytes: 1e6 };
  const { rows } = await readUsage({ clickhouse, prices, rulesVersion: null }, query, context);
  return { prompt: rows.reduce((sum, row) => sum + Number(row.counters[1]), 0), queries };
}

async function insert(...rows: readonly Row[]): Promise<void> {
  await database.insert('call_parts', rows);
}

const rolledUp = { attributes_dump: '{"weave":{"usage_rollup":"rolled_up"}}' };
const [first, second, third] = ['00', '01', '02'].map((s) => `2026-01-31 12:00:${s}.000000`) as [
  string,
  string,
  string,
];
const root = { id: 'root', startedAt: first, usage: promptUsage(10) };
const child = { id: 'child', parent: 'root', startedAt: second, usage: promptUsage(3) };
const [locate, flatSum, flatSumRolledUp, treeWalk, treeWalkStored] = [
  'locate_calls',
  'usage_flat_sum',
  'usage_flat_sum_rolled_up',
  'usage_tree_walk',
  'usage_tree_walk_stored',
];
const [countOrphanEnds, repairOrphanEnds] = ['count_orphan_ends', 'repair_orphan_ends'];

describe('the statement for located calls', () => {
  test('is the flat sum for whole traces without rolled-up calls', async () => {
    await insert(completeRow('p/plain', root), completeRow('p/plain', child));
    const queries = [locate, flatSum];
    expect(await queryRoot('p/plain')).toEqual({ prompt: 10 + 3, queries });
  });

  test('is the rolled-up flat sum for whole traces with a rolled-up root', async () => {
    await insert(completeRow('p/rolled', root, rolledUp), completeRow('p/rolled', child, rolledUp));
    // The root's 10 tokens include the child's 3.
    const queries = [locate, flatSumRolledUp];
    expect(await queryRoot('p/rolled')).toEqual({ prompt: 10, queries });
  });

  test('is the tree walk for calls that have a parent', async () => {
    await insert(
      completeRow('p/inner', child),
      completeRow('p/inner', { ...root, parent: 'missing' }),
    );
    const queries = [locate, treeWalkStored];
    expect(await queryRoot('p/inner')).toEqual({ prompt: 10 + 3, queries });
  });

  test('is the tree walk that subtracts for calls that have a parent and were rolled up', async () => {
    await insert(
      completeRow('p/inner-rolled', child, rolledUp),
      completeRow('p/inner-rolled', { ...root, parent: 'missing' }, rolledUp),
    );
    const queries = [locate, treeWalk];
    expect(await queryRoot('p/inner-rolled')).toEqual({ prompt: 10, queries });
  });

  test('is none for unknown calls', async () => {
    expect(await queryRoot('p/nobody')).toEqual({ prompt: 0, queries: [locate] });
  });
});

describe('the tree walk runs after a flat sum', () => {
  test('whose rows show that a trace has several roots', async () => {
    await insert(completeRow('p/two', root), completeRow('p/two', { ...child, parent: '' }));
    const queries = [locate, flatSum, treeWalkStored];
    expect(await queryRoot('p/two')).toEqual({ prompt: 10, queries });
  });
});

describe('another flat sum runs after a flat sum', () => {
  test('whose rows show a rolled-up call', async () => {
    const leaf = { id: 'leaf', parent: 'child', startedAt: third, usage: promptUsage(5) };
    await insert(
      completeRow('p/mixed', root),
      completeRow('p/mixed', child, rolledUp),
      completeRow('p/mixed', leaf, rolledUp),
    );
    const queries = [locate, flatSum, flatSumRolledUp];
    // The child's 3 tokens cannot include the leaf's 5.
    expect(await queryRoot('p/mixed')).toEqual({ prompt: 10 + 3 + 5, queries });
  });

  test('whose rows show tokens that sums do not tell apart', async () => {
    const usage = { m: { prompt_tokens: 10, total_tokens: 15, thoughts_tokens: 5 } };
    await insert(completeRow('p/thoughts', { ...root, usage }));
    const queries = [locate, flatSum, 'usage_flat_sum_counted'];
    expect(await queryRoot('p/thoughts')).toEqual({ prompt: 10, queries });
  });
});

describe('for spans of OpenTelemetry', () => {
  const [flatSumRepeated, treeWalkOtel] = ['usage_flat_sum_repeated', 'usage_tree_walk_otel'];
  const agent = { id: '00f067aa0ba902b7', kind: 'agent', time: [0, 90] } as const;
  const chat = { id: '00f067aa0ba902b8', parent: agent.id, time: [5, 10], tokens: 30 } as const;

  test('the first statement leaves out what spans repeat', async () => {
    await insert(spanRow('p/spans', { ...agent, tokens: 30 }), spanRow('p/spans', chat));
    const queries = [locate, flatSumRepeated];
    expect(await queryRoot('p/spans', agent.id)).toEqual({ prompt: 30, queries });
  });

  test('a tree walk applies the rule where calls of other modes have responses', async () => {
    const own = { ...spanRow('p/rule', { ...chat, id: 'own', response: 'r' }), usage_mode: 0 };
    await insert(spanRow('p/rule', agent), spanRow('p/rule', { ...chat, response: 'r' }), own);
    const queries = [locate, flatSumRepeated, treeWalkOtel];
    expect(await queryRoot('p/rule', agent.id)).toEqual({ prompt: 30, queries });
  });

  test('the rule is applied at once to a span that has a parent', async () => {
    await insert(spanRow('p/span', { ...agent, tokens: 30 }), spanRow('p/span', chat));
    expect(await queryRoot('p/span', chat.id)).toEqual({
      ...{ prompt: 30, queries: [locate, treeWalkOtel] },
    });
  });

  test('a root that does not look like a span is found to have some', async () => {
    const usage = { other: { prompt_tokens: 10 } };
    await insert(
      completeRow('p/below', { ...root, usage }),
      spanRow('p/below', { ...chat, parent: 'root' }),
    );
    const queries = [locate, flatSum, flatSumRepeated];
    expect(await queryRoot('p/below')).toEqual({ prompt: 10 + 30, queries });
  });
});

describe('an orphan end', () => {
  test('is repaired by the first read of its call, and belongs to the call from then on', async () => {
    await insert(orphanEndRow('p/orphan', root), startRow('p/orphan', root));
    const once = [locate, flatSum];
    const queries = [...once, countOrphanEnds, repairOrphanEnds, ...once];
    expect(await queryRoot('p/orphan')).toEqual({ prompt: 10, queries });
    expect(await queryRoot('p/orphan')).toEqual({ prompt: 10, queries: once });
  });

  test('is searched only for unfinished calls, and nothing is written if they have none', async () => {
    await insert(startRow('p/open', root), orphanEndRow('p/open', child));
    const queries = [locate, flatSum, countOrphanEnds];
    expect(await queryRoot('p/open')).toEqual({ prompt: 0, queries });
  });

  test('of a deleted call is repaired too, because its usage is subtracted from its parent', async () => {
    await insert(
      completeRow('p/deleted', root, rolledUp),
      startRow('p/deleted', child, rolledUp),
      orphanEndRow('p/deleted', child),
      deletionRow('p/deleted', child),
    );
    const once = [locate, flatSumRolledUp, treeWalk];
    const queries = [...once, countOrphanEnds, repairOrphanEnds, ...once];
    // The root's 10 tokens include the deleted child's 3.
    expect(await queryRoot('p/deleted')).toEqual({ prompt: 10 - 3, queries });
  });
});
