import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResultTooLargeError } from '../../src/clickhouse/errors.ts';
import { byModel, type ModelUsage } from '../../src/usage/model-usage.ts';
import { rollUp as rollUpInSteps, type RolledUp } from '../../src/usage/roll-up.ts';
import { toChosenPrice } from '../../src/prices/snapshot/chosen-price.ts';
import { toPriceRow } from '../../src/prices/snapshot/price-row.ts';
import type { UsageRow } from '../../src/usage/query/usage-row.ts';
import { runSteps } from '../support/package/run-steps.ts';

function rollUp(rows: readonly UsageRow[], maxSums = Infinity) {
  const { usages, touchedBy } = runSteps(rollUpInSteps(rows, byModel, maxSums));
  return { usages, touchedBy: (callIds: readonly string[]) => runSteps(touchedBy(callIds)) };
}

/** Requests, prompt, completion and total tokens; the roll-up does not read other counters. */
function countersOf(...counters: readonly (number | bigint)[]): UsageRow['counters'] {
  return counters.map(BigInt);
}

function priceRow(prompt_token_cost: string, completion_token_cost: string) {
  return toPriceRow({
    ...{ id: 'price', pricing_level: 'default', provider_id: 'any', llm_id: 'm' },
    ...{ effective_us: '0', effective_date: '1970-01-01T00:00:00.000000Z', created_us: '0' },
    ...{ prompt_tokens_above: '0', service_tier: '', minutes_of_week: [] },
    ...{ prompt_token_cost, completion_token_cost },
    ...{ cache_read_input_token_cost: null, cache_creation_input_token_cost: null },
    ...{ cache_creation_1h_input_token_cost: null, audio_input_token_cost: null },
    ...{ audio_output_token_cost: null, is_deleted: 0, is_ignored: 0, row_hashes: '1' },
  });
}

/** A row of a requested call that is present and used the model `m`; its key is its id. */
function row(call_id: string, ancestor_key: string, prompt: number | bigint = 0): UsageRow {
  return {
    call_key: call_id,
    is_present: true,
    call_id,
    ancestor_key: ancestor_key === '' ? '0' : ancestor_key,
    model: 'm',
    counters: countersOf(1, prompt, 0, prompt),
    price: null,
    doubleCounted: [],
    condition: null,
    calls: '1',
    unfinished_call_ids: [],
  };
}

/** A further row of a requested call, with descendants only. */
function descendantRow(call_key: string, model: string, more: Partial<UsageRow>): UsageRow {
  return { ...row(call_key, ''), is_present: false, model, calls: '0', ...more };
}

/** Prompt tokens of `m` by call. */
function promptOf({
  usages,
}: Pick<RolledUp<ModelUsage>, 'usages'>): Record<string, bigint | undefined> {
  const entries = [...usages].map(([id, usage]) => [id, usage.get('m')?.promptTokens] as const);
  return Object.fromEntries(entries);
}

describe('nesting', () => {
  test('a single call has the sums of its rows, model by model', () => {
    const more = { counters: countersOf(2, 3, 5, 9) };
    const { usages } = rollUp([{ ...row('a', ''), ...more }, descendantRow('a', 'other', {})]);
    const costs = { promptCost: null, completionCost: null };
    expect([...(usages.get('a') ?? [])]).toEqual([
      ['m', { requests: 2n, promptTokens: 3n, completionTokens: 5n, totalTokens: 9n, ...costs }],
      [
        'other',
        { requests: 1n, promptTokens: 0n, completionTokens: 0n, totalTokens: 0n, ...costs },
      ],
    ]);
  });

  test('rows of one model, such as of several price periods, are added', () => {
    const rows = [
      descendantRow('a', 'm', { counters: countersOf(1, 10, 0, 10), calls: '2' }),
      row('a', '', 1),
      { ...row('a', '', 100), calls: '0' },
    ];
    const rolledUp = rollUp(rows);
    expect(promptOf(rolledUp)).toEqual({ a: BigInt(1 + 10 + 100) });
    expect(rolledUp.touchedBy(['a']).calls).toBe(BigInt(2 + 1));
  });

  test('a requested call inside others counts in all of them', () => {
    // a > b > c, a > d; e is a root.
    const rows = [row('c', 'b', 100), row('a', '', 1), row('d', 'a', 1_000), row('b', 'a', 10)];
    expect(promptOf(rollUp([...rows, row('e', '', 10_000)]))).toEqual({
      a: BigInt(1 + 10 + 100 + 1_000),
      b: BigInt(10 + 100),
      c: 100n,
      d: 1_000n,
      e: 10_000n,
    });
  });

  test('every counter is added to that of the same model', () => {
    const inner = { counters: countersOf(10, 20, 30, 40) };
    const rows = [
      { ...row('a', ''), counters: countersOf(1, 2, 3, 4) },
      { ...row('b', 'a'), ...inner },
      descendantRow('b', 'only b', { counters: countersOf(7, 20, 30, 40) }),
      descendantRow('a', 'only a', { counters: countersOf(8, 20, 30, 40) }),
    ];
    const { usages } = rollUp(rows);
    const costs = { promptCost: null, completionCost: null };
    const ofInner = { promptTokens: 20n, completionTokens: 30n, totalTokens: 40n, ...costs };
    expect(Object.fromEntries(usages.get('a') ?? [])).toEqual({
      m: {
        requests: BigInt(1 + 10),
        promptTokens: BigInt(2 + 20),
        completionTokens: BigInt(3 + 30),
        totalTokens: BigInt(4 + 40),
        ...costs,
      },
      'only a': { requests: 8n, ...ofInner },
      'only b': { requests: 7n, ...ofInner },
    });
    expect(Object.fromEntries(usages.get('b') ?? [])).toEqual({
      m: { requests: 10n, ...ofInner },
      'only b': { requests: 7n, ...ofInner },
    });
  });

  test('sums are exact beyond 64 bits', () => {
    const large = 2n ** 127n;
    const rows = [row('a', '', large), row('b', 'a', large), row('c', 'b', 1n)];
    expect(promptOf(rollUp(rows))).toEqual({ a: large + large + 1n, b: large + 1n, c: 1n });
  });

  test('a chain of 10,000 requested calls is rolled up', () => {
    const length = 10_000;
    // Call i has i + 1 tokens and is a child of call i - 1.
    const rows = Array.from({ length }, (_, index) =>
      row(`call-${index}`, index === 0 ? '' : `call-${index - 1}`, index + 1),
    );
    const { usages } = rollUp(rows.reverse());
    // In call i: the sum of the numbers from i + 1 to n, which is n(n + 1)/2 - i(i + 1)/2.
    for (let index = 0; index < length; index += 1) {
      const expected = (length * (length + 1)) / 2 - (index * (index + 1)) / 2;
      expect(usages.get(`call-${index}`)?.get('m')?.promptTokens).toBe(BigInt(expected));
    }
  });

  test('a chain of 1,000 requested calls with a model each is refused when it has too many sums', () => {
    const length = 1_000;
    const rows = Array.from({ length }, (_, index) => ({
      ...row(`call-${index}`, index === 0 ? '' : `call-${index - 1}`),
      model: `model-${index}`,
    }));
    // Call i has the models of the calls from i on.
    const sums = (length * (length + 1)) / 2;
    expect(rollUp(rows, sums).usages.get('call-0')?.size).toBe(length);
    expect(() => rollUp(rows, sums - 1)).toThrow(ResultTooLargeError);
  });

  test('a star of 10,000 requested calls is rolled up', () => {
    const leaves = Array.from({ length: 10_000 }, (_, index) => row(`call-${index}`, 'centre', 3));
    const { usages } = rollUp([...leaves, row('centre', '', 1)]);
    expect(usages.get('centre')?.get('m')?.promptTokens).toBe(BigInt(1 + 3 * 10_000));
  });

  test('names of object properties are ordinary names', () => {
    const rows = [
      { ...row('__proto__', 'constructor', 1), model: '__proto__' },
      { ...row('constructor', '', 10), model: '__proto__' },
    ];
    const { usages } = rollUp(rows);
    expect(usages.get('constructor')?.get('__proto__')?.promptTokens).toBe(BigInt(1 + 10));
    expect(usages.get('__proto__')?.get('__proto__')?.promptTokens).toBe(1n);
  });
});

describe('an unknown or deleted requested call', () => {
  const absent = {
    ...descendantRow('absent', 'm', { counters: countersOf(1, 100, 0, 100), calls: '7' }),
  };

  test('has no usage, and its descendants count nowhere', () => {
    const absentRow = { ...absent, unfinished_call_ids: ['unfinished'] };
    const rolledUp = rollUp([row('a', '', 1), absentRow]);
    expect(promptOf(rolledUp)).toEqual({ a: 1n });
    expect(rolledUp.touchedBy(['a', 'absent'])).toEqual({ calls: 1n, unfinishedCallIds: [] });
  });

  test('keeps requested descendants from counting in requested ancestors', () => {
    const rolledUp = rollUp([row('a', '', 1), absent, row('descendant', 'absent', 10)]);
    expect(promptOf(rolledUp)).toEqual({ a: 1n, descendant: 10n });
  });
});

describe('costs', () => {
  /** One uncached prompt token and one completion token, at these prices in USD; null: without a price. */
  const priced = (id: string, ancestor: string, prices: readonly [string, string] | null) => ({
    ...row(id, ancestor),
    counters: countersOf(1, 1, 1, 2, 1, 0, 0, 0, 0, 1, 0, 0),
    price: prices === null ? null : toChosenPrice(priceRow(...prices), 'exact'),
  });
  const unit = 10n ** 30n;

  test('are the sum of the known costs', () => {
    const rows = [priced('a', '', ['0.1', '2']), priced('b', 'a', ['0.2', '3'])];
    const { usages } = rollUp([...rows, priced('c', 'b', null)]);
    expect(usages.get('a')?.get('m')).toMatchObject({
      promptCost: (unit * 1n) / 10n + (unit * 2n) / 10n,
      completionCost: 2n * unit + 3n * unit,
    });
  });

  test('are unknown, not 0, if no cost is known', () => {
    const rows = [priced('a', '', ['0', '0']), priced('b', 'a', null)];
    const { usages } = rollUp(rows);
    expect(usages.get('a')?.get('m')).toMatchObject({ promptCost: 0n, completionCost: 0n });
    expect(usages.get('b')?.get('m')).toMatchObject({ promptCost: null, completionCost: null });
  });
});

describe('cycles', () => {
  test('a call that is its own parent counts once', () => {
    expect(promptOf(rollUp([row('a', 'a', 5)]))).toEqual({ a: 5n });
  });

  test('members of a cycle share one sum, which includes all their descendants', () => {
    // a > b > c > a; b > d > e.
    const rows = [row('a', 'c', 1), row('b', 'a', 10), row('c', 'b', 100)];
    const tail = [row('e', 'd', 10_000), row('d', 'b', 1_000)];
    const all = BigInt(1 + 10 + 100 + 1_000 + 10_000);
    expect(promptOf(rollUp([...tail, ...rows]))).toEqual({
      a: all,
      b: all,
      c: all,
      d: BigInt(1_000 + 10_000),
      e: 10_000n,
    });
  });

  test('are independent of each other', () => {
    const first = [row('a', 'b', 1), row('b', 'a', 2)];
    const second = [row('c', 'd', 4), row('d', 'c', 8)];
    const [ab, cd] = [BigInt(1 + 2), BigInt(4 + 8)];
    expect(promptOf(rollUp([...first, ...second]))).toEqual({ a: ab, b: ab, c: cd, d: cd });
  });

  test('of 10,000 calls are rolled up', () => {
    const length = 10_000;
    const rows = Array.from({ length }, (_, index) =>
      row(`call-${index}`, `call-${(index + 1) % length}`, index),
    );
    const { usages } = rollUp(rows);
    const all = BigInt((length * (length - 1)) / 2);
    for (const usage of usages.values()) expect(usage.get('m')?.promptTokens).toBe(all);
    expect(usages.size).toBe(length);
  });
});

test('in any forest and order, each call counts once in itself and in each ancestor', () => {
  const calls = fc.integer({ min: 1, max: 12 }).chain((length) =>
    fc.record({
      parents: fc.array(fc.integer({ min: -1, max: length - 1 }), {
        minLength: length,
        maxLength: length,
      }),
      order: fc.shuffledSubarray([...Array(length).keys()], { minLength: length }),
    }),
  );
  fc.assert(
    fc.property(calls, ({ parents, order }) => {
      // Call i has 2^i tokens: the bits of a sum show which calls count in it; one that counted twice would carry.
      const rows = order.map((index) =>
        row(`call-${index}`, `call-${parents[index] ?? -1}`, 2n ** BigInt(index)),
      );
      const expected = parents.map(
        (_, index) => [`call-${index}`, sumSubtree(index, parents)] as const,
      );
      expect(promptOf(rollUp(rows))).toEqual(Object.fromEntries(expected));
    }),
    { numRuns: 1_000 },
  );
});

/** Sums a call and its descendants by following the parents of each call. */
function sumSubtree(root: number, parents: readonly number[]): bigint {
  const isInSubtree = (index: number): boolean => {
    const seen = new Set<number>();
    for (let call = index; call !== -1 && !seen.has(call); call = parents[call] ?? -1) {
      if (call === root) return true;
      seen.add(call);
    }
    return false;
  };
  return parents.reduce(
    (sum, _, index) => (isInSubtree(index) ? sum + 2n ** BigInt(index) : sum),
    0n,
  );
}

test('touched calls and unfinished ids are counted once each', () => {
  const rolledUp = rollUp([
    { ...row('a', ''), calls: '3', unfinished_call_ids: ['x', 'a'] },
    descendantRow('a', 'other', { calls: '2', unfinished_call_ids: ['y'] }),
    { ...row('b', 'a'), calls: '18446744073709551616' },
  ]);
  expect(rolledUp.touchedBy(['b', 'a'])).toEqual({
    calls: 3n + 2n + 2n ** 64n,
    unfinishedCallIds: ['x', 'a', 'y'],
  });
});

test('a request in a batch touches only its own calls and their descendants', () => {
  // a > b > c, a > d; e > f > e is a cycle.
  const rows = Object.entries({ a: '', b: 'a', c: 'b', d: 'a', e: 'f', f: 'e' }).map(
    ([id, ancestor], index) => ({
      ...row(id, ancestor),
      calls: String(2 ** index),
      unfinished_call_ids: [`in ${id}`],
    }),
  );
  const { touchedBy } = rollUp(rows);
  const all = {
    ...{ a: ['a', 'b', 'c', 'd'], b: ['b', 'c'], c: ['c'], d: ['d'] },
    ...{ e: ['e', 'f'], f: ['e', 'f'] },
  };
  for (const [id, touched] of Object.entries(all)) {
    const calls = touched.reduce((sum, one) => sum + 2 ** 'abcdef'.indexOf(one), 0);
    const { unfinishedCallIds, ...counted } = touchedBy([id]);
    expect(counted).toEqual({ calls: BigInt(calls) });
    expect(unfinishedCallIds.toSorted()).toEqual(touched.map((one) => `in ${one}`));
  }
  expect(touchedBy(['b', 'a', 'unknown']).calls).toBe(touchedBy(['a']).calls);
});

test('without rows there are no calls', () => {
  const { usages, touchedBy } = rollUp([]);
  expect(usages).toEqual(new Map());
  expect(touchedBy(['a'])).toEqual({ calls: 0n, unfinishedCallIds: [] });
});
