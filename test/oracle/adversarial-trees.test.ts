/**
 * Trees designed to make a query hang, overflow or fail, at full size, with the default time limit of the service.
 * ClickHouse generates the rows; the expected sums are calculated here.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { usageClientFixture } from '../support/fixtures.ts';
import type { Answer, ModelUsage } from './oracle.ts';
import { readAnswer } from './read-answer.ts';

const insertTimeoutMs = 300_000;

const client = usageClientFixture();
const times: string[] = [];
afterAll(() => {
  console.log(`Response times:\n${times.join('\n')}`);
});

interface Calls {
  readonly project: string;
  readonly size: number;
  /** SQL over `number`: the parent's number; -1 for none. The id of a call is `c` followed by its number. */
  readonly parent: string;
  /** SQL over `number`: the prompt tokens in the call's summary. */
  readonly stored: string;
  readonly isRolledUp?: boolean;
}

/** Inserts calls with numbers from 0 on, all in one trace. */
async function insert({ project, size, parent, stored, isRolledUp = false }: Calls): Promise<void> {
  const attributes = isRolledUp ? '{"weave":{"source":"js-sdk"}}' : '{}';
  await client.clickhouse.command(
    `INSERT INTO call_parts
        (project_id, trace_id, id, kind, parent_id, started_at, ended_at, attributes_dump, summary_dump)
      WITH toInt64(${parent}) AS parent
      SELECT {project:String}, 'trace', concat('c', toString(number)), 'whole',
        if(parent < 0, '', concat('c', toString(parent))),
        '2026-01-31 12:00:00', '2026-01-31 12:00:01', {attributes:String},
        concat('{"usage":{"m":{"prompt_tokens":', toString(${stored}), '}}}')
      FROM numbers({size:UInt64})`,
    { project, attributes, size },
  );
}

/** Requests usage with costs, where a token costs 1 USD, and records the response time. */
async function queryUsage(
  what: string,
  project: string,
  callIds: string[],
  limit: number,
): Promise<Answer> {
  const startedAt = performance.now();
  const body = { project_id: project, call_ids: callIds, include_costs: true, limit };
  const { status, text } = await client.service.send('/calls/usage', { body });
  times.push(`${(performance.now() - startedAt).toFixed(0).padStart(7)} ms  ${what}`);
  return readAnswer(status, text);
}

async function insertPrice(project: string): Promise<void> {
  const price = {
    prompt_token_cost: 0.001,
    completion_token_cost: 0.002,
    effective_date: '2026-01-01T00:00:00Z',
  };
  const body = { project_id: project, costs: { m: price } };
  expect((await client.service.send('/cost/create', { body })).status).toBe(200);
}

/** The answer in which each call has these prompt tokens and no call is unfinished. */
function tokens(expected: readonly (readonly [string, bigint])[]): Answer {
  const usage = (promptTokens: bigint): ModelUsage => ({
    requests: 0n,
    promptTokens,
    completionTokens: 0n,
    totalTokens: promptTokens,
    promptCost: Number(`${promptTokens}e-3`),
    completionCost: 0,
  });
  const callUsage = new Map(
    expected.map(([id, sum]) => [id, new Map(sum === 0n ? [] : [['m', usage(sum)]])]),
  );
  return { kind: 'usage', callUsage, unfinishedCallIds: [] };
}

function idsTo(size: number): string[] {
  return Array.from({ length: size }, (_, number) => `c${number}`);
}

/** 1 + 2 + … + n. */
function sumTo(n: number): bigint {
  return (BigInt(n) * BigInt(n + 1)) / 2n;
}

describe.each([1, 2, 1_000])(
  'a cycle of %i calls, with a tail below it and a separate call',
  (size) => {
    const project = `cycle/${size}`;
    /** The calls of the cycle have 1, 2, …, size tokens; the tail is a child of c0 and has size + 1. */
    const tail = `c${size}`;
    const outside = `c${size + 1}`;
    beforeAll(async () => {
      await insertPrice(project);
      const parent = `multiIf(number < ${size}, (number + 1) % ${size}, number = ${size}, 0, -1)`;
      await insert({ project, size: size + 2, parent, stored: 'number + 1' });
    });

    test('counts every call once for one requested call', async () => {
      const answer = await queryUsage(
        `a cycle of ${size}, one requested`,
        project,
        ['c0'],
        size + 1,
      );
      expect(answer).toEqual(tokens([['c0', sumTo(size + 1)]]));
    });

    test('counts every call once for each of two requested calls', async () => {
      const ids = ['c0', `c${Math.floor(size / 2)}`, tail, outside];
      const answer = await queryUsage(`a cycle of ${size}, two requested`, project, ids, size + 2);
      expect(answer).toEqual(
        tokens([
          ...new Map([
            [ids[0]!, sumTo(size + 1)],
            [ids[1]!, sumTo(size + 1)],
          ]),
          [tail, BigInt(size + 1)],
          [outside, BigInt(size + 2)],
        ]),
      );
    });

    test('counts every call once for each if all are requested', async () => {
      const ids = idsTo(size);
      const answer = await queryUsage(`a cycle of ${size}, all requested`, project, ids, size + 1);
      expect(answer).toEqual(tokens(ids.map((id) => [id, sumTo(size + 1)])));
    });

    test('does not affect the separate call', async () => {
      const answer = await queryUsage(`a cycle of ${size}, none requested`, project, [outside], 1);
      expect(answer).toEqual(tokens([[outside, BigInt(size + 2)]]));
    });

    test('counts its calls and its tail towards the limit', async () => {
      const answer = await queryUsage(`a cycle of ${size}, over the limit`, project, ['c0'], size);
      expect(answer).toEqual({
        kind: 'limit_exceeded',
        touched: BigInt(size + 1),
        limit: BigInt(size),
      });
    });
  },
);

describe('a chain of 100,000 calls', () => {
  const size = 100_000;
  const project = 'chain/own';
  beforeAll(async () => {
    await insertPrice(project);
    await insert({ project, size, parent: 'toInt64(number) - 1', stored: 'number + 1' });
  }, insertTimeoutMs);

  test('is summed for its root, its middle and its end', async () => {
    const ids = ['c0', 'c50000', 'c99999'];
    const answer = await queryUsage('a chain of 100,000, three requested', project, ids, size);
    expect(answer).toEqual(
      tokens([
        ['c0', sumTo(size)],
        ['c50000', sumTo(size) - sumTo(50_000)],
        ['c99999', BigInt(size)],
      ]),
    );
  });

  test('exceeds a limit that is one less than its calls, and a limit of 1', async () => {
    expect(
      await queryUsage('a chain of 100,000, over the limit', project, ['c0'], size - 1),
    ).toEqual({
      kind: 'limit_exceeded',
      touched: BigInt(size),
      limit: BigInt(size - 1),
    });
    expect(await queryUsage('a chain of 100,000, limit 1', project, ['c0'], 1)).toMatchObject({
      touched: BigInt(size),
    });
  });

  test(
    'of rolled-up calls counts no token twice',
    async () => {
      const project = 'chain/rolled-up';
      await insertPrice(project);
      // The own usage of each call is 1; its stored usage includes its descendants.
      const stored = `${size} - number`;
      await insert({ project, size, parent: 'toInt64(number) - 1', stored, isRolledUp: true });
      const ids = ['c0', 'c1', 'c70000'];
      const answer = await queryUsage('a chain of 100,000 rolled-up calls', project, ids, size);
      expect(answer).toEqual(
        tokens([
          ['c0', BigInt(size)],
          ['c1', BigInt(size - 1)],
          ['c70000', 30_000n],
        ]),
      );
    },
    insertTimeoutMs,
  );
});

describe('one parent with a million children', () => {
  const children = 1_000_000;
  /** Child number n has n tokens. */
  const sum = sumTo(children);

  test(
    'is summed',
    async () => {
      const project = 'star/own';
      await insertPrice(project);
      const parent = 'if(number = 0, -1, 0)';
      await insert({ project, size: children + 1, parent, stored: 'if(number = 0, 7, number)' });
      const answer = await queryUsage('a million children', project, ['c0', 'c9'], children + 1);
      expect(answer).toEqual(
        tokens([
          ['c0', sum + 7n],
          ['c9', 9n],
        ]),
      );
      expect(
        await queryUsage('a million children, over the limit', project, ['c0'], children),
      ).toEqual({
        kind: 'limit_exceeded',
        touched: BigInt(children + 1),
        limit: BigInt(children),
      });
    },
    insertTimeoutMs,
  );

  test(
    'which are all rolled up counts no token twice',
    async () => {
      const project = 'star/rolled-up';
      await insertPrice(project);
      const parent = 'if(number = 0, -1, 0)';
      const stored = `if(number = 0, ${sum + 7n}, number)`;
      await insert({ project, size: children + 1, parent, stored, isRolledUp: true });
      const ids = ['c0', 'c9'];
      const answer = await queryUsage('a million rolled-up children', project, ids, children + 1);
      expect(answer).toEqual(
        tokens([
          ['c0', sum + 7n],
          ['c9', 9n],
        ]),
      );
    },
    insertTimeoutMs,
  );
});

describe('a trace of a million calls', () => {
  const size = 1_000_000;
  const project = 'trace/million';
  beforeAll(async () => {
    await insertPrice(project);
    // A binary heap: each call has two children, except for those at the end.
    const parent = 'if(number = 0, -1, intDiv(toInt64(number) - 1, 2))';
    await insert({ project, size, parent, stored: 'number + 1' });
  }, insertTimeoutMs);

  test('counts one call towards the limit if a leaf is requested', async () => {
    const answer = await queryUsage(
      'a trace of a million, a leaf requested',
      project,
      ['c999999'],
      1,
    );
    expect(answer).toEqual(tokens([['c999999', 1_000_000n]]));
  });

  test('is summed for the subtree of an inner call', async () => {
    const subtree = heapSubtree(1_000, size);
    const answer = await queryUsage(
      'a trace of a million, an inner call requested',
      project,
      ['c1000'],
      10_000,
    );
    expect(answer).toEqual(tokens([['c1000', subtree]]));
  });

  test('is summed for its root and both its children', async () => {
    const ids = ['c2', 'c0', 'c1'];
    const answer = await queryUsage('a trace of a million, all of it', project, ids, size);
    const [firstChild, secondChild] = [heapSubtree(1, size), heapSubtree(2, size)];
    expect(firstChild + secondChild + 1n).toBe(sumTo(size));
    expect(answer).toEqual(
      tokens([
        ['c2', secondChild],
        ['c0', sumTo(size)],
        ['c1', firstChild],
      ]),
    );
  });
});

/** The tokens of a subtree of the heap. The calls of each of its levels have consecutive numbers. */
function heapSubtree(top: number, size: number): bigint {
  let sum = 0n;
  for (
    let [first, last] = [top, top];
    first < size;
    [first, last] = [2 * first + 1, 2 * last + 2]
  ) {
    sum += sumTo(Math.min(last, size - 1) + 1) - sumTo(first);
  }
  return sum;
}

describe('10,000 requested ids nested in one another', () => {
  const size = 10_000;
  const ids = idsTo(size).sort((a, b) => a.localeCompare(b));

  test('each count all their descendants', async () => {
    const project = 'nested/own';
    await insertPrice(project);
    await insert({ project, size, parent: 'toInt64(number) - 1', stored: 'number + 1' });
    const answer = await queryUsage('10,000 nested ids', project, ids, size);
    const subtreeOf = (id: string): bigint => sumTo(size) - sumTo(Number(id.slice(1)));
    expect(answer).toEqual(tokens(ids.map((id) => [id, subtreeOf(id)])));
  });

  test('of rolled-up calls count no token twice', async () => {
    const project = 'nested/rolled-up';
    await insertPrice(project);
    const stored = `${size} - number`;
    await insert({ project, size, parent: 'toInt64(number) - 1', stored, isRolledUp: true });
    const answer = await queryUsage('10,000 nested ids of rolled-up calls', project, ids, size);
    expect(answer).toEqual(tokens(ids.map((id) => [id, BigInt(size - Number(id.slice(1)))])));
  });
});

describe('sums beyond 64 bits', () => {
  const largest = 2n ** 53n - 1n;
  const size = 4_000;

  test('keep every digit', async () => {
    const project = 'sums/own';
    await insertPrice(project);
    // Prompt and input are added: 4,000 × 2 × (2^53 - 1) is about 3.9 × 2^64.
    const stored = `'${largest},"input_tokens":${largest}'`;
    await insert({ project, size, parent: 'if(number = 0, -1, 0)', stored });
    const answer = await queryUsage('sums beyond 64 bits', project, ['c0', 'c1'], size);
    expect(answer).toEqual(
      tokens([
        ['c0', BigInt(size) * 2n * largest],
        ['c1', 2n * largest],
      ]),
    );
  });

  test('of rolled-up children exceed what any parent can store, so nothing is left of the parent', async () => {
    const project = 'sums/rolled-up';
    await insertPrice(project);
    const stored = `'${largest},"input_tokens":${largest}'`;
    await insert({ project, size, parent: 'if(number = 0, -1, 0)', stored, isRolledUp: true });
    const answer = await queryUsage('rolled-up sums beyond 64 bits', project, ['c0'], size);
    expect(answer).toEqual(tokens([['c0', BigInt(size - 1) * 2n * largest]]));
  });
});
