import { describe, expect, test } from 'vitest';
import { promptUsage } from '../../support/usage-client.ts';
import {
  deletionRow,
  endRow,
  orphanEndRow,
  type Row,
  startRow,
  completeRow,
} from '../../support/rows/part-rows.ts';
import { type ReadRow, readUsage } from '../../support/read-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

async function insert(...rows: readonly Row[]): Promise<void> {
  await opened.insert('call_parts', rows);
}

async function read(project: string, callIds: readonly string[]): Promise<ReadRow[]> {
  return await readUsage(opened.clickhouse, project, callIds, false);
}

/** The sums of all rows of one requested call. */
interface RequestedSubtree {
  /** The nearest requested ancestor that is present. */
  ancestor: string | undefined;
  calls: number;
  /** Prompt tokens of the model `m`. */
  prompt: number;
  models: string[];
  unfinished: string[];
}

/** The rows by requested call; those of calls that are not present have the key ''. */
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
      ancestor: undefined,
      calls: 0,
      prompt: 0,
      models: [],
      unfinished: [],
    });
    if (row.is_present) subtree.ancestor = idOf.get(row.ancestor_key);
    subtree.calls += Number(row.calls);
    if (row.model === 'm') subtree.prompt += Number(row.prompt_tokens);
    subtree.models = [...subtree.models, row.model].sort();
    subtree.unfinished = [...subtree.unfinished, ...row.unfinished_call_ids].sort();
  }
  return subtrees;
}

/** root > a > b > c, root > d, and the root `other` in the same trace. Each call's tokens are another decimal digit. */
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

describe('in the rows of usage_tree_walk', () => {
  test('a call is counted for its nearest requested ancestor only, itself included', async () => {
    await insert(...treeOf('p/nearest'));
    expect(await subtreesOf('p/nearest', ['root', 'b'])).toMatchObject({
      root: { ancestor: undefined, calls: 3, prompt: 1 + 10 + 10_000 },
      b: { ancestor: 'root', calls: 2, prompt: 100 + 1_000 },
    });
  });

  test('a requested call is linked to its nearest requested ancestor', async () => {
    await insert(...treeOf('p/links'));
    expect(await subtreesOf('p/links', ['c', 'other', 'a', 'root'])).toMatchObject({
      root: { ancestor: undefined, prompt: 1 + 10_000 },
      a: { ancestor: 'root', prompt: 10 + 100 },
      c: { ancestor: 'a', prompt: 1_000 },
      other: { ancestor: undefined, prompt: 100_000 },
    });
  });

  test('a call without usage is counted in a row without a model', async () => {
    await insert(
      completeRow('p/nothing', { id: 'root' }),
      completeRow('p/nothing', { id: 'a', parent: 'root', usage: promptUsage(10) }),
      completeRow('p/nothing', { id: 'b', parent: 'root' }),
    );
    expect(await subtreesOf('p/nothing', ['root'])).toMatchObject({
      root: { calls: 3, prompt: 10, models: ['', 'm'] },
    });
  });

  test('a call that used several models is counted in one of their rows', async () => {
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

  test('a call that is unknown or has only an end has no row', async () => {
    await insert(
      endRow('p/unknown', { id: 'end', usage: promptUsage(1) }),
      orphanEndRow('p/unknown', { id: 'orphan end', usage: promptUsage(1) }),
    );
    expect(await read('p/unknown', ['end', 'orphan end', 'unknown', ''])).toEqual([]);
    expect(await read('p/unknown', [])).toEqual([]);
  });

  test('a deleted call has no row, and its descendants are not counted for its ancestors', async () => {
    await insert(...treeOf('p/deleted'), deletionRow('p/deleted', { id: 'a' }));
    expect(await subtreesOf('p/deleted', ['root'])).toMatchObject({
      root: { calls: 2, prompt: 1 + 10_000 },
    });
    // If the deleted call is requested, its subtree may have rows, but none with is_present.
    const subtrees = await subtreesOf('p/deleted', ['root', 'a', 'c']);
    expect(Object.keys(subtrees).filter((id) => id !== '')).toEqual(
      expect.arrayContaining(['root', 'c']),
    );
    expect(subtrees).toMatchObject({
      root: { calls: 2, prompt: 1 + 10_000 },
      c: { ancestor: undefined, calls: 1, prompt: 1_000 },
    });
    expect(subtrees).not.toHaveProperty('a');
  });

  test('a call is unfinished until its end has arrived', async () => {
    await insert(
      ...['open', 'ended', 'complete and started'].map((id) =>
        startRow('p/open', { id, parent: 'root' }),
      ),
      startRow('p/open', { id: 'root' }),
      endRow('p/open', { id: 'ended', usage: promptUsage(1) }),
      completeRow('p/open', {
        id: 'complete and started',
        parent: 'root',
        usage: promptUsage(100),
      }),
    );
    expect(await subtreesOf('p/open', ['root'])).toMatchObject({
      root: { calls: 4, prompt: 1 + 100, unfinished: ['open', 'root'] },
    });
  });
});

describe('the sums of usage_tree_walk', () => {
  test('are exact beyond 64 bits', async () => {
    const largest = 2 ** 53 - 1;
    const usage = {
      m: {
        requests: largest,
        prompt_tokens: largest,
        input_tokens: largest,
        output_tokens: largest,
      },
    };
    const calls = 2_500;
    await insert(
      ...Array.from({ length: calls }, (_, index) =>
        completeRow('p/wide', { id: `call-${index}`, parent: index ? 'call-0' : '', usage }),
      ),
    );
    const sum = BigInt(calls) * BigInt(largest);
    expect(sum).toBeGreaterThan(2n ** 64n);
    expect(await read('p/wide', ['call-0'])).toMatchObject([
      {
        requests: String(sum),
        prompt_tokens: String(2n * sum),
        completion_tokens: String(sum),
        total_tokens: String(3n * sum),
        calls: String(calls),
      },
    ]);
  });

  test('have no costs unless costs are requested', async () => {
    await insert(...treeOf('p/free'));
    for (const row of await read('p/free', ['root'])) {
      expect(row).toMatchObject({ prompt_cost: null, completion_cost: null });
    }
  });
});

describe('usage_tree_walk counts every call of', () => {
  // Each step doubles the distance, so lengths around powers of two matter.
  const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 64, 65, 129];

  test.each(lengths)('a chain of %d calls', async (length) => {
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
      'call-0': { ancestor: undefined, calls: length, prompt: (length * (length + 1)) / 2 },
    });
    const last = `call-${length - 1}`;
    if (length > 1) {
      expect(await subtreesOf(project, [last, 'call-0'])).toMatchObject({
        'call-0': { calls: length - 1, prompt: ((length - 1) * length) / 2 },
        [last]: { ancestor: 'call-0', calls: 1, prompt: length },
      });
    }
  });

  test.each(lengths.filter((length) => length < 40))('a cycle of %d calls', async (length) => {
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
      'call-0': { ancestor: 'call-0', calls: length, prompt: all },
    });
    if (length > 1) {
      const subtrees = await subtreesOf(project, ['call-0', 'call-1']);
      // call-0 is the child of call-1, and call-1 is a descendant of all other calls, starting from call-0.
      expect(subtrees).toMatchObject({
        'call-0': { ancestor: 'call-1', calls: length - 1, prompt: all - 2 },
        'call-1': { ancestor: 'call-0', calls: 1, prompt: 2 },
      });
    }
  });

  test('a subtree whose ancestors are a cycle without a requested call', async () => {
    await insert(
      completeRow('p/cycle-above', { id: 'x', parent: 'y', usage: promptUsage(1) }),
      completeRow('p/cycle-above', { id: 'y', parent: 'x', usage: promptUsage(10) }),
      completeRow('p/cycle-above', { id: 'a', parent: 'x', usage: promptUsage(100) }),
      completeRow('p/cycle-above', { id: 'b', parent: 'a', usage: promptUsage(1_000) }),
    );
    expect(await subtreesOf('p/cycle-above', ['a'])).toMatchObject({
      a: { ancestor: undefined, calls: 2, prompt: 100 + 1_000 },
    });
  });

  test('traces of different depths in one query', async () => {
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
