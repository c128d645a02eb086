import { describe, expect, test } from 'vitest';
import type { UsageRow } from '../../../src/usage/usage-row.ts';
import { promptUsage } from '../../support/usage-client.ts';
import {
  deletionRow,
  endRow,
  orphanEndRow,
  type Row,
  startRow,
  completeRow,
} from '../../support/part-rows.ts';
import { readUsage } from '../../support/read-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

async function insert(...rows: readonly Row[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

async function read(project: string, callIds: readonly string[]): Promise<UsageRow[]> {
  return await readUsage(opened.clickhouse, project, callIds, false);
}

/** What the rows of one requested call say together. */
interface RequestedSubtree {
  /** The requested call above; undefined for none that is there. */
  above: string | undefined;
  calls: number;
  /** Prompt tokens of `m`. */
  prompt: number;
  models: string[];
  unfinished: string[];
}

/** The rows by requested call; those of calls that are not there stand under ''. */
async function subtreesOf(
  project: string,
  callIds: readonly string[],
): Promise<Record<string, RequestedSubtree>> {
  const rows = await read(project, callIds);
  const idOf = new Map(
    rows.filter((row) => row.is_present).map((row) => [row.call_key, row.call_id]),
  );
  const subtrees: Record<string, RequestedSubtree> = {};
  for (const row of rows) {
    const subtree = (subtrees[idOf.get(row.call_key) ?? ''] ??= {
      above: undefined,
      calls: 0,
      prompt: 0,
      models: [],
      unfinished: [],
    });
    if (row.is_present) subtree.above = idOf.get(row.ancestor_key);
    subtree.calls += Number(row.calls);
    if (row.model === 'm') subtree.prompt += Number(row.prompt_tokens);
    subtree.models = [...subtree.models, row.model].sort();
    subtree.unfinished = [...subtree.unfinished, ...row.unfinished_call_ids].sort();
  }
  return subtrees;
}

/** root > a > b > c, root > d; other stands apart in the same trace. A digit of its own for each. */
function treeOf(project: string): Row[] {
  return [
    completeRow(project, { id: 'root', usage: promptUsage(1) }),
    completeRow(project, { id: 'a', parent: 'root', usage: promptUsage(10) }),
    completeRow(project, { id: 'b', parent: 'a', usage: promptUsage(100) }),
    completeRow(project, { id: 'c', parent: 'b', usage: promptUsage(1_000) }),
    completeRow(project, { id: 'd', parent: 'root', usage: promptUsage(10_000) }),
    completeRow(project, { id: 'other', usage: promptUsage(100_000) }),
  ];
}

describe('a call', () => {
  test('counts in the nearest requested call alone, itself included', async () => {
    await insert(...treeOf('p/nearest'));
    expect(await subtreesOf('p/nearest', ['root', 'b'])).toMatchObject({
      root: { above: undefined, calls: 3, prompt: 1 + 10 + 10_000 },
      b: { above: 'root', calls: 2, prompt: 100 + 1_000 },
    });
  });

  test('is linked to the nearest requested one above it', async () => {
    await insert(...treeOf('p/links'));
    expect(await subtreesOf('p/links', ['c', 'other', 'a', 'root'])).toMatchObject({
      root: { above: undefined, prompt: 1 + 10_000 },
      a: { above: 'root', prompt: 10 + 100 },
      c: { above: 'a', prompt: 1_000 },
      other: { above: undefined, prompt: 100_000 },
    });
  });

  test('that used nothing is counted in a row without a model', async () => {
    await insert(
      completeRow('p/nothing', { id: 'root' }),
      completeRow('p/nothing', { id: 'a', parent: 'root', usage: promptUsage(10) }),
      completeRow('p/nothing', { id: 'b', parent: 'root' }),
    );
    expect(await subtreesOf('p/nothing', ['root'])).toMatchObject({
      root: { calls: 3, prompt: 10, models: ['', 'm'] },
    });
  });

  test('of several models is counted in one of their rows', async () => {
    const usage = { m: { prompt_tokens: 1 }, n: { requests: 1 }, o: { requests: 1 } };
    await insert(
      startRow('p/models', { id: 'root' }),
      completeRow('p/models', { id: 'a', parent: 'root', usage }),
      completeRow('p/models', { id: 'b', parent: 'root', usage }),
    );
    expect(await subtreesOf('p/models', ['root'])).toMatchObject({
      root: { calls: 3, prompt: 1 + 1, models: ['', 'm', 'n', 'o'], unfinished: ['root'] },
    });
  });

  test('that is unknown or has only an end is in no row', async () => {
    await insert(
      endRow('p/unknown', { id: 'end', usage: promptUsage(1) }),
      orphanEndRow('p/unknown', { id: 'loose', usage: promptUsage(1) }),
    );
    expect(await read('p/unknown', ['end', 'loose', 'unknown', ''])).toEqual([]);
    expect(await read('p/unknown', [])).toEqual([]);
  });

  test('that is deleted is in no row, and what stands below it belongs to nobody', async () => {
    await insert(...treeOf('p/deleted'), deletionRow('p/deleted', { id: 'a' }));
    expect(await subtreesOf('p/deleted', ['root'])).toMatchObject({
      root: { calls: 2, prompt: 1 + 10_000 },
    });
    // Where the deleted one is requested, its subtree may have rows, but none says that it is there.
    const subtrees = await subtreesOf('p/deleted', ['root', 'a', 'c']);
    expect(Object.keys(subtrees).filter((id) => id !== '')).toEqual(
      expect.arrayContaining(['root', 'c']),
    );
    expect(subtrees).toMatchObject({
      root: { calls: 2, prompt: 1 + 10_000 },
      c: { above: undefined, calls: 1, prompt: 1_000 },
    });
    expect(subtrees).not.toHaveProperty('a');
  });

  test('is unfinished until its end has come', async () => {
    await insert(
      ...['open', 'ended', 'whole and started'].map((id) =>
        startRow('p/open', { id, parent: 'root' }),
      ),
      startRow('p/open', { id: 'root' }),
      endRow('p/open', { id: 'ended', usage: promptUsage(1) }),
      completeRow('p/open', { id: 'whole and started', parent: 'root', usage: promptUsage(100) }),
    );
    expect(await subtreesOf('p/open', ['root'])).toMatchObject({
      root: { calls: 4, prompt: 1 + 100, unfinished: ['open', 'root'] },
    });
  });
});

describe('sums', () => {
  test('are exact beyond 64 bits', async () => {
    const most = 2 ** 53 - 1;
    const usage = {
      m: { requests: most, prompt_tokens: most, input_tokens: most, output_tokens: most },
    };
    const calls = 2_500;
    await insert(
      ...Array.from({ length: calls }, (_, index) =>
        completeRow('p/wide', { id: `call-${index}`, parent: index ? 'call-0' : '', usage }),
      ),
    );
    const one = BigInt(calls) * BigInt(most);
    expect(one).toBeGreaterThan(2n ** 64n);
    expect(await read('p/wide', ['call-0'])).toMatchObject([
      {
        requests: String(one),
        prompt_tokens: String(2n * one),
        completion_tokens: String(one),
        total_tokens: String(3n * one),
        calls: String(calls),
      },
    ]);
  });

  test('have no costs where none are asked for', async () => {
    await insert(...treeOf('p/free'));
    for (const row of await read('p/free', ['root'])) {
      expect(row).toMatchObject({ prompt_cost: null, completion_cost: null });
    }
  });
});

describe('trees of any depth are walked to their ends', () => {
  // Steps double the distance: what matters are lengths around powers of two.
  const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 64, 65, 129];

  test.each(lengths)('a chain of %d', async (length) => {
    const project = `p/chain-${length}`;
    await insert(
      ...Array.from({ length }, (_, index) =>
        completeRow(project, {
          id: `call-${index}`,
          parent: index ? `call-${index - 1}` : '',
          usage: promptUsage(1 + index),
        }),
      ),
    );
    expect(await subtreesOf(project, ['call-0'])).toMatchObject({
      'call-0': { above: undefined, calls: length, prompt: (length * (length + 1)) / 2 },
    });
    const last = `call-${length - 1}`;
    if (length > 1) {
      expect(await subtreesOf(project, [last, 'call-0'])).toMatchObject({
        'call-0': { calls: length - 1, prompt: ((length - 1) * length) / 2 },
        [last]: { above: 'call-0', calls: 1, prompt: length },
      });
    }
  });

  test.each(lengths.filter((length) => length < 40))('a cycle of %d', async (length) => {
    const project = `p/cycle-${length}`;
    await insert(
      ...Array.from({ length }, (_, index) =>
        completeRow(project, {
          id: `call-${index}`,
          parent: `call-${(index + 1) % length}`,
          usage: promptUsage(1 + index),
        }),
      ),
    );
    const all = (length * (length + 1)) / 2;
    expect(await subtreesOf(project, ['call-0'])).toMatchObject({
      'call-0': { above: 'call-0', calls: length, prompt: all },
    });
    if (length > 1) {
      const subtrees = await subtreesOf(project, ['call-0', 'call-1']);
      // call-0 stands directly below call-1, and call-1 below all others, down from call-0.
      expect(subtrees).toMatchObject({
        'call-0': { above: 'call-1', calls: length - 1, prompt: all - 2 },
        'call-1': { above: 'call-0', calls: 1, prompt: 2 },
      });
    }
  });

  test('a cycle without a requested call above a requested one ends too', async () => {
    await insert(
      completeRow('p/above', { id: 'x', parent: 'y', usage: promptUsage(1) }),
      completeRow('p/above', { id: 'y', parent: 'x', usage: promptUsage(10) }),
      completeRow('p/above', { id: 'a', parent: 'x', usage: promptUsage(100) }),
      completeRow('p/above', { id: 'b', parent: 'a', usage: promptUsage(1_000) }),
    );
    expect(await subtreesOf('p/above', ['a'])).toMatchObject({
      a: { above: undefined, calls: 2, prompt: 100 + 1_000 },
    });
  });

  test('traces of different depths in one question', async () => {
    const rows = lengths.flatMap((length) =>
      Array.from({ length }, (_, index) =>
        completeRow('p/depths', {
          id: `${length}-${index}`,
          trace: `trace-${length}`,
          parent: index ? `${length}-${index - 1}` : '',
          usage: promptUsage(1),
        }),
      ),
    );
    await insert(...rows);
    const subtrees = await subtreesOf(
      'p/depths',
      lengths.map((length) => `${length}-0`),
    );
    expect(subtrees).toMatchObject(
      Object.fromEntries(
        lengths.map((length) => [`${length}-0`, { calls: length, prompt: length }]),
      ),
    );
  });
});
