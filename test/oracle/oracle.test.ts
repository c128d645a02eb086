import { describe, expect, test } from 'vitest';

import { parseJson, toObject, writeJson } from './json.ts';
import { answer, countDeleted, countTouched, type Event, type Price } from './oracle.ts';

/** Tests the oracle itself with few calls and expected numbers calculated by hand. */

const time = '2026-01-31T12:00:00.000001Z';

interface CallOptions {
  readonly parent?: string;
  readonly usage?: object;
  readonly weave?: object;
  readonly trace?: string;
}

function start(id: string, { parent, weave = {}, trace = 't' }: CallOptions = {}): Event {
  const part = toObject({
    ...{ project_id: 'p', id, trace_id: trace, parent_id: parent, started_at: time },
    attributes: { weave },
  });
  return { kind: 'start', part };
}

function end(id: string, usage: object = {}): Event {
  return { kind: 'end', part: toObject({ project_id: 'p', id, summary: { usage } }) };
}

function call(id: string, options: CallOptions = {}): Event[] {
  return [end(id, options.usage), start(id, options)];
}

function tokensOf(events: readonly Event[], ...callIds: string[]): Record<string, object> {
  const usageRequest = { project: 'p', callIds, includeCosts: false, limit: 100n };
  const result = answer(events, usageRequest);
  if (result.kind !== 'usage') throw new Error('limit');
  return Object.fromEntries(
    [...result.callUsage].map(([id, models]) => [
      id,
      Object.fromEntries([...models].map(([model, { promptTokens }]) => [model, promptTokens])),
    ]),
  );
}

const m = (prompt_tokens: number): object => ({ m: { prompt_tokens } });

describe('the oracle', () => {
  test('counts a call and its descendants, without calls of other trees and traces', () => {
    const events = [
      ...call('child', { parent: 'root', usage: m(2) }),
      ...call('root', { usage: m(1) }),
      ...call('grandchild', { parent: 'child', usage: m(4) }),
      ...call('orphan', { parent: 'missing', usage: m(8) }),
      ...call('elsewhere', { parent: 'root', trace: 'u', usage: m(16) }),
    ];
    expect(tokensOf(events, 'root', 'child', 'orphan', 'unknown')).toEqual({
      root: { m: 7n },
      child: { m: 6n },
      orphan: { m: 8n },
      unknown: {},
    });
    expect(countTouched(events, { project: 'p', callIds: ['root', 'child', 'orphan'] })).toBe(4n);
  });

  test('counts every call of a cycle once', () => {
    const events = [
      ...call('a', { parent: 'b', usage: m(1) }),
      ...call('b', { parent: 'a', usage: m(2) }),
      ...call('self', { parent: 'self', usage: m(4) }),
    ];
    expect(tokensOf(events, 'a', 'b', 'self')).toEqual({
      a: { m: 3n },
      b: { m: 3n },
      self: { m: 4n },
    });
  });

  test('deletes the descendants known at the deletion, and does not count later ones for ancestors', () => {
    const before = [
      ...call('root', { usage: m(1) }),
      ...call('middle', { parent: 'root', usage: m(2) }),
    ];
    expect(countDeleted(before, 'p', ['middle', 'late', 'unknown'])).toBe(1n);
    const deletion: Event = { kind: 'deletion', project: 'p', callIds: ['middle', 'late'] };
    const late = call('late', { parent: 'middle', usage: m(4) });
    const events = [...before, deletion, ...late, ...call('middle', { parent: 'root' })];
    expect(tokensOf(events, 'root', 'middle', 'late')).toEqual({
      root: { m: 1n },
      middle: {},
      late: { m: 4n },
    });
    expect(countDeleted(events, 'p', ['root'])).toBe(2n);
  });
});

test('the oracle reports calls without an end as unfinished and ignores calls without a start', () => {
  const usageRequest = { project: 'p', callIds: ['b', 'x'], includeCosts: false, limit: 9n };
  const events = [start('b'), start('😀', { parent: 'b' }), start('\uffff', { parent: 'b' })];
  expect(answer([...events, end('x', m(1))], usageRequest)).toEqual({
    kind: 'usage',
    callUsage: new Map([
      ['b', new Map()],
      ['x', new Map()],
    ]),
    unfinishedCallIds: ['b', '\uffff', '😀'],
  });
  expect(answer(events, { ...usageRequest, limit: 2n })).toEqual({
    kind: 'limit_exceeded',
    touched: 3n,
    limit: 2n,
  });
});

describe('the oracle computes own usage:', () => {
  const js = { source: 'js-sdk' };

  test('usage of rolled-up children is subtracted from the parent, also of deleted children', () => {
    const events = [
      ...call('root', { weave: js, usage: m(7) }), // Its own 1, and 6 of a.
      ...call('a', { parent: 'root', weave: js, usage: m(6) }), // Its own 2, and 4 of b.
      ...call('b', { parent: 'a', weave: { usage_rollup: 'rolled_up' }, usage: m(4) }),
      ...call('own', { parent: 'a', weave: { ...js, usage_rollup: 'own' }, usage: m(100) }),
      ...call('plain', { parent: 'a', usage: m(1000) }),
    ];
    expect(tokensOf(events, 'root', 'a', 'b')).toEqual({
      root: { m: 1107n },
      a: { m: 1106n },
      b: { m: 4n },
    });
    const deletion: Event = { kind: 'deletion', project: 'p', callIds: ['b'] };
    expect(tokensOf([...events, deletion], 'root', 'a')).toEqual({
      root: { m: 1103n },
      a: { m: 1102n },
    });
  });

  test('all usage of a parent is its own if one counter is less than that of its children', () => {
    const events = [
      ...call('root', { weave: js, usage: { m: { prompt_tokens: 9, requests: 1 } } }),
      ...call('a', { parent: 'root', weave: js, usage: { m: { prompt_tokens: 1, requests: 2 } } }),
    ];
    expect(tokensOf(events, 'root')).toEqual({ root: { m: 10n } });
  });
});

test('the oracle accepts integers below 2^53 in any notation as counters', () => {
  const usage = `{"usage":{"m":{"prompt_tokens":1e3,"input_tokens":1.0,"requests":-1,
    "completion_tokens":9007199254740992,"output_tokens":9007199254740991,"total_tokens":"5"},
    "an array":[1],"zeros":{"prompt_tokens":0.5,"cache_read_input_tokens":5}}}`;
  const events: Event[] = [
    start('a'),
    { kind: 'end', part: toObject({ project_id: 'p', id: 'a', summary: parseJson(usage) }) },
  ];
  const usageRequest = { project: 'p', callIds: ['a'], includeCosts: false, limit: 1n };
  expect(answer(events, usageRequest)).toMatchObject({
    callUsage: new Map([
      [
        'a',
        new Map([
          [
            'm',
            {
              requests: 0n,
              promptTokens: 1001n,
              completionTokens: 2n ** 53n - 1n,
              totalTokens: 2n ** 53n + 1000n,
              promptCost: null,
              completionCost: null,
            },
          ],
        ]),
      ],
    ]),
  });
});

describe('the costs of the oracle', () => {
  function costOf(usage: object, ...prices: Partial<Price>[]): unknown {
    const usageRequest = { project: 'p', callIds: ['a'], includeCosts: true, limit: 1n };
    const base = { project: undefined, model: 'm', effectiveDate: time, completionCost: '2' };
    const none = { promptCost: '0', cacheReadCost: undefined, cacheCreationCost: undefined };
    const events: Event[] = [
      ...prices.map((price) => ({
        kind: 'price' as const,
        price: { ...base, ...none, ...price },
      })),
      ...call('a', { usage: { m: usage } }),
    ];
    const result = answer(events, usageRequest);
    if (result.kind !== 'usage') throw new Error('limit');
    const { promptCost, completionCost } = result.callUsage.get('a')!.get('m')!;
    return [promptCost, completionCost];
  }

  test('price cached tokens separately, and in addition to the prompt if they exceed it', () => {
    const cached = {
      prompt_tokens: 10,
      prompt_tokens_details: { cached_tokens: 3 },
      cache_creation_input_tokens: 2,
      completion_tokens: 4,
    };
    const price = { promptCost: '0.1', cacheReadCost: '1e-2' };
    // 5 × 0.1 + 3 × 0.01 + 2 × 0.1, the prompt price, since cache creation has no price.
    expect(costOf(cached, price)).toEqual([0.73, 8]);
    // 10 × 0.1 + 11 × 0.01: 10 − 11 is negative, so all of the prompt is uncached.
    expect(costOf({ prompt_tokens: 10, cache_read_input_tokens: 11 }, price)).toEqual([1.11, 0]);
    expect(costOf(cached)).toEqual([null, null]);
  });

  test('prefer prices in force, then the project’s, then the latest, then the one created last', () => {
    const tokens = { prompt_tokens: 1 };
    const earlier = '2025-01-01T00:00:00Z';
    const later = '2026-01-31T12:00:00.000002Z';
    const first = (...prices: Partial<Price>[]): unknown =>
      (costOf(tokens, ...prices) as unknown[])[0];
    const [one, two] = [{ promptCost: '1' }, { promptCost: '2' }];
    expect(first(one, two)).toBe(2);
    expect(first(one, { ...two, effectiveDate: earlier })).toBe(1);
    expect(first(one, { ...two, project: 'p', effectiveDate: earlier })).toBe(2);
    expect(first(one, { ...two, project: 'p', effectiveDate: later })).toBe(1);
    expect(first(one, { ...two, project: 'other' })).toBe(1);
    const future = { ...one, effectiveDate: '2027-01-01T00:00:00Z' };
    expect(first(future, { ...two, effectiveDate: later })).toBe(2);
    expect(first({ ...future, project: 'p' }, { ...two, effectiveDate: later })).toBe(1);
  });
});

test('parsing and writing JSON keeps every digit and the order of keys', () => {
  const text = '{"b":1.0,"10":[9007199254740993,-0,1e3,{}],"9":"\\u0000\\"é😀","__proto__":null}';
  expect(writeJson(parseJson(` ${text} `))).toBe(text);
  for (const wrong of ['', '{', '[1,]', '{"a":1,"a":2}', '01', '1 2', '{"a" 1}', '"', 'nul', "'a'"])
    expect(() => parseJson(wrong), wrong).toThrow(SyntaxError);
});
