/**
 * Trees that are made to hang, to overflow or to fail a query, at full size, through a service with its default
 * time limit. Rows are made inside ClickHouse; what they must add up to is worked out here.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openTestClickHouse, type TestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { openService, type TestService } from '../support/http/service.ts';
import type { Answer, ModelUsage } from './oracle.ts';
import { readAnswer } from './read-answer.ts';

const loading = 300_000;

let clickhouse: TestClickHouse;
let service: TestService;
const times: string[] = [];
beforeAll(async () => {
  clickhouse = await openTestClickHouse();
  service = await openService(clickhouse.environment);
  await service.ready;
});
afterAll(async () => {
  console.log(`Answered in:\n${times.join('\n')}`);
  await service.close();
  await clickhouse.close();
});

interface Calls {
  readonly project: string;
  readonly size: number;
  /** SQL over `number`: the number of the parent; -1 for none. The id of a call is `c` and its number. */
  readonly parent: string;
  /** SQL over `number`: prompt tokens that the call stores. */
  readonly stored: string;
  readonly isRolledUp?: boolean;
}

/** Inserts calls from number 0 on, all of one trace. */
async function insert({ project, size, parent, stored, isRolledUp = false }: Calls): Promise<void> {
  const attributes = isRolledUp ? '{"weave":{"source":"js-sdk"}}' : '{}';
  await clickhouse.command(
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

/** Asks with costs, where a token costs 1 USD, and notes how long it took. */
async function ask(
  what: string,
  project: string,
  callIds: string[],
  limit: number,
): Promise<Answer> {
  const began = performance.now();
  const body = { project_id: project, call_ids: callIds, include_costs: true, limit };
  const { status, text } = await service.send('/calls/usage', { body });
  times.push(`${(performance.now() - began).toFixed(0).padStart(7)} ms  ${what}`);
  return readAnswer(status, text);
}

async function insertPrice(project: string): Promise<void> {
  const price = {
    prompt_token_cost: 1,
    completion_token_cost: 2,
    effective_date: '2026-01-01T00:00:00Z',
  };
  const body = { project_id: project, costs: { m: price } };
  expect((await service.send('/cost/create', { body })).status).toBe(200);
}

/** The answer in which each call has these prompt tokens and nothing is unfinished. */
function tokens(expected: readonly (readonly [string, bigint])[]): Answer {
  const usage = (promptTokens: bigint): ModelUsage => ({
    requests: 0n,
    promptTokens,
    completionTokens: 0n,
    totalTokens: promptTokens,
    promptCost: Number(promptTokens),
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

describe.each([1, 2, 1_000])('a cycle of %i, with a tail and a call that is in neither', (size) => {
  const project = `cycle/${size}`;
  /** Calls of the cycle store 1, 2, …, size; the tail hangs below c0 and stores size + 1. */
  const tail = `c${size}`;
  const outside = `c${size + 1}`;
  beforeAll(async () => {
    await insertPrice(project);
    const parent = `multiIf(number < ${size}, (number + 1) % ${size}, number = ${size}, 0, -1)`;
    await insert({ project, size: size + 2, parent, stored: 'number + 1' });
  });

  test('counts every member once for the one that is asked for', async () => {
    const answer = await ask(`a cycle of ${size}, one asked`, project, ['c0'], size + 1);
    expect(answer).toEqual(tokens([['c0', sumTo(size + 1)]]));
  });

  test('counts every member once for each of two that are asked for', async () => {
    const ids = ['c0', `c${Math.floor(size / 2)}`, tail, outside];
    const answer = await ask(`a cycle of ${size}, two asked`, project, ids, size + 2);
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

  test('counts every member once for all of them', async () => {
    const ids = idsTo(size);
    const answer = await ask(`a cycle of ${size}, all asked`, project, ids, size + 1);
    expect(answer).toEqual(tokens(ids.map((id) => [id, sumTo(size + 1)])));
  });

  test('is no trouble where nobody asks for it', async () => {
    const answer = await ask(`a cycle of ${size}, none asked`, project, [outside], 1);
    expect(answer).toEqual(tokens([[outside, BigInt(size + 2)]]));
  });

  test('touches as many calls as it has, and its tail', async () => {
    const answer = await ask(`a cycle of ${size}, over the limit`, project, ['c0'], size);
    expect(answer).toEqual({
      kind: 'limit_exceeded',
      touched: BigInt(size + 1),
      limit: BigInt(size),
    });
  });
});

describe('a chain of 100,000 calls', () => {
  const size = 100_000;
  const project = 'chain/own';
  beforeAll(async () => {
    await insertPrice(project);
    await insert({ project, size, parent: 'toInt64(number) - 1', stored: 'number + 1' });
  }, loading);

  test('is answered for its root, its middle and its end', async () => {
    const ids = ['c0', 'c50000', 'c99999'];
    const answer = await ask('a chain of 100,000, three asked', project, ids, size);
    expect(answer).toEqual(
      tokens([
        ['c0', sumTo(size)],
        ['c50000', sumTo(size) - sumTo(50_000)],
        ['c99999', BigInt(size)],
      ]),
    );
  });

  test('is over the limit by one call, and by many', async () => {
    expect(await ask('a chain of 100,000, over the limit', project, ['c0'], size - 1)).toEqual({
      kind: 'limit_exceeded',
      touched: BigInt(size),
      limit: BigInt(size - 1),
    });
    expect(await ask('a chain of 100,000, limit 1', project, ['c0'], 1)).toMatchObject({
      touched: BigInt(size),
    });
  });

  test(
    'of rolled-up calls counts no token twice',
    async () => {
      const project = 'chain/rolled-up';
      await insertPrice(project);
      // Each call spent 1 and stores it with everything below.
      const stored = `${size} - number`;
      await insert({ project, size, parent: 'toInt64(number) - 1', stored, isRolledUp: true });
      const ids = ['c0', 'c1', 'c70000'];
      const answer = await ask('a chain of 100,000 rolled-up calls', project, ids, size);
      expect(answer).toEqual(
        tokens([
          ['c0', BigInt(size)],
          ['c1', BigInt(size - 1)],
          ['c70000', 30_000n],
        ]),
      );
    },
    loading,
  );
});

describe('one parent of a million children', () => {
  const children = 1_000_000;
  /** Child number n stores n. */
  const sum = sumTo(children);

  test(
    'is answered',
    async () => {
      const project = 'star/own';
      await insertPrice(project);
      const parent = 'if(number = 0, -1, 0)';
      await insert({ project, size: children + 1, parent, stored: 'if(number = 0, 7, number)' });
      const answer = await ask('a million children', project, ['c0', 'c9'], children + 1);
      expect(answer).toEqual(
        tokens([
          ['c0', sum + 7n],
          ['c9', 9n],
        ]),
      );
      expect(await ask('a million children, over the limit', project, ['c0'], children)).toEqual({
        kind: 'limit_exceeded',
        touched: BigInt(children + 1),
        limit: BigInt(children),
      });
    },
    loading,
  );

  test(
    'that are all rolled up counts no token twice',
    async () => {
      const project = 'star/rolled-up';
      await insertPrice(project);
      const parent = 'if(number = 0, -1, 0)';
      const stored = `if(number = 0, ${sum + 7n}, number)`;
      await insert({ project, size: children + 1, parent, stored, isRolledUp: true });
      const ids = ['c0', 'c9'];
      const answer = await ask('a million rolled-up children', project, ids, children + 1);
      expect(answer).toEqual(
        tokens([
          ['c0', sum + 7n],
          ['c9', 9n],
        ]),
      );
    },
    loading,
  );
});

describe('a trace of a million calls', () => {
  const size = 1_000_000;
  const project = 'trace/million';
  beforeAll(async () => {
    await insertPrice(project);
    // Each call has two below it, as in a heap, but for those at the end.
    const parent = 'if(number = 0, -1, intDiv(toInt64(number) - 1, 2))';
    await insert({ project, size, parent, stored: 'number + 1' });
  }, loading);

  test('of which one without children is asked for touches one call', async () => {
    const answer = await ask('a trace of a million, a leaf asked', project, ['c999999'], 1);
    expect(answer).toEqual(tokens([['c999999', 1_000_000n]]));
  });

  test('of which one in the middle is asked for counts its subtree', async () => {
    const subtree = heapSubtree(1_000, size);
    const answer = await ask('a trace of a million, 1,000 calls below', project, ['c1000'], 10_000);
    expect(answer).toEqual(tokens([['c1000', subtree]]));
  });

  test('is answered whole, at its root and at both children', async () => {
    const ids = ['c2', 'c0', 'c1'];
    const answer = await ask('a trace of a million, all of it', project, ids, size);
    const [left, right] = [heapSubtree(1, size), heapSubtree(2, size)];
    expect(left + right + 1n).toBe(sumTo(size));
    expect(answer).toEqual(
      tokens([
        ['c2', right],
        ['c0', sumTo(size)],
        ['c1', left],
      ]),
    );
  });
});

/** What a call of the heap and all below it store: level by level they have consecutive numbers. */
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

  test('each count everything below them', async () => {
    const project = 'nested/own';
    await insertPrice(project);
    await insert({ project, size, parent: 'toInt64(number) - 1', stored: 'number + 1' });
    const answer = await ask('10,000 nested ids', project, ids, size);
    const below = (id: string): bigint => sumTo(size) - sumTo(Number(id.slice(1)));
    expect(answer).toEqual(tokens(ids.map((id) => [id, below(id)])));
  });

  test('of rolled-up calls count no token twice', async () => {
    const project = 'nested/rolled-up';
    await insertPrice(project);
    const stored = `${size} - number`;
    await insert({ project, size, parent: 'toInt64(number) - 1', stored, isRolledUp: true });
    const answer = await ask('10,000 nested ids of rolled-up calls', project, ids, size);
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
    const answer = await ask('sums beyond 64 bits', project, ['c0', 'c1'], size);
    expect(answer).toEqual(
      tokens([
        ['c0', BigInt(size) * 2n * largest],
        ['c1', 2n * largest],
      ]),
    );
  });

  test('of rolled-up children are more than any parent can store', async () => {
    const project = 'sums/rolled-up';
    await insertPrice(project);
    const stored = `'${largest},"input_tokens":${largest}'`;
    await insert({ project, size, parent: 'if(number = 0, -1, 0)', stored, isRolledUp: true });
    const answer = await ask('rolled-up sums beyond 64 bits', project, ['c0'], size);
    expect(answer).toEqual(tokens([['c0', BigInt(size) * 2n * largest]]));
  });
});
