import { describe, expect, test } from 'vitest';

import { parseJson, toObject, writeJson } from './json.ts';
import {
  answer,
  type Costs,
  countDeleted,
  countTouched,
  type Event,
  type ModelUsage,
  type Price,
} from './oracle.ts';

/** Tests the oracle itself with few calls and expected numbers calculated by hand. */

const time = '2026-01-31T12:00:00.000001Z';

interface CallOptions {
  readonly parent?: string;
  readonly usage?: object;
  readonly weave?: object;
  readonly trace?: string;
  /** The second at which it ends. */
  readonly ends?: number;
}

function start(id: string, { parent, weave = {}, trace = 't' }: CallOptions = {}): Event {
  const part = toObject({
    ...{ project_id: 'p', id, trace_id: trace, parent_id: parent, started_at: time },
    attributes: { weave },
  });
  return { kind: 'start', part };
}

function end(id: string, usage: object = {}, second = 0): Event {
  const ended_at = new Date(Date.parse(time) + second * 1_000).toISOString();
  return { kind: 'end', part: toObject({ project_id: 'p', id, ended_at, summary: { usage } }) };
}

function call(id: string, options: CallOptions = {}): Event[] {
  return [end(id, options.usage, options.ends), start(id, options)];
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

function usageOf(events: readonly Event[], callId: string) {
  const usageRequest = { project: 'p', callIds: [callId], includeCosts: false, limit: 100n };
  const result = answer(events, usageRequest);
  if (result.kind !== 'usage') throw new Error('limit');
  return result.callUsage.get(callId)!;
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

  const root = (usage: object, ends = 9) => call('root', { weave: js, usage, ends });
  const child = (usage: object, ends: number) =>
    call(`child ${ends}`, { parent: 'root', weave: js, usage, ends });

  test('of the children only those that ended no later than the parent are in its number', () => {
    const children = [...child(m(3), 8), ...child(m(4), 9), ...child(m(5), 10)];
    expect(tokensOf([...root(m(7)), ...children], 'root')).toEqual({ root: { m: 12n } });
  });

  test('a child with a larger total than the parent is not in its number', () => {
    const children = [...child(m(7), 1), ...child(m(8), 2)];
    expect(tokensOf([...root(m(7)), ...children], 'root')).toEqual({ root: { m: 15n } });
  });

  test('all children that ended are in a number whose total is 0, so only its requests are left', () => {
    const events = [
      ...root({ m: { requests: 3, prompt_tokens: null } }),
      ...child({ m: { requests: 1, prompt_tokens: 5 } }, 1),
      ...child({ m: { requests: 1, prompt_tokens: 6 } }, 2),
    ];
    expect(tokensOf(events, 'root')).toEqual({ root: { m: 11n } });
    expect(usageOf(events, 'root').get('m')).toMatchObject({ requests: 3n, promptCost: null });
  });

  test('no counter of a parent falls below 0', () => {
    const events = [
      ...root({ m: { prompt_tokens: 9, requests: 1 } }),
      ...child({ m: { prompt_tokens: 1, requests: 2 } }, 1),
    ];
    expect(usageOf(events, 'root').get('m')).toMatchObject({ requests: 2n, promptTokens: 9n });
  });

  test('fields are subtracted before they are counted, by what the whole entry shows', () => {
    // The total has room for reasoning in the sum; the rest has no total of its own.
    const sum = {
      prompt_tokens: 33,
      completion_tokens: 73,
      thoughts_tokens: 338,
      total_tokens: 444,
    };
    const one = {
      prompt_tokens: 23,
      completion_tokens: 53,
      thoughts_tokens: 308,
      total_tokens: 384,
    };
    const events = [...root({ m: sum }), ...child({ m: one }, 1)];
    expect(usageOf(events, 'root').get('m')).toMatchObject({
      promptTokens: 33n,
      completionTokens: 73n + 338n,
      totalTokens: 444n,
    });
  });
});

describe('the oracle counts', () => {
  const counted = (model: string, entry: object, weave: object = {}): unknown[] => {
    const usage = usageOf(call('a', { usage: { [model]: entry }, weave }), 'a').get(model);
    return [usage?.promptTokens, usage?.completionTokens, usage?.totalTokens];
  };

  test('cached tokens beside the prompt where there are more of them', () => {
    const entry = { input_tokens: 4, cache_read_input_tokens: 5, output_tokens: 1 };
    expect(counted('m', entry)).toEqual([9n, 1n, 10n]);
    expect(counted('m', { ...entry, input_tokens: 5 })).toEqual([5n, 1n, 6n]);
  });

  test('cached tokens beside the prompt in native entries of old npm packages', () => {
    const entry = { input_tokens: 10, cache_read_input_tokens: 4, service_tier: 'standard' };
    const own = { source: 'js-sdk', usage_rollup: 'own' };
    const of = (client_version: string, model = 'a/claude-x', given: object = entry) =>
      counted(model, given, { ...own, client_version })[0];
    expect([of('0.11.1'), of('0.12.0-rc.1'), of('0.12.0'), of('0.12.1-rc.1')]).toEqual([
      14n,
      14n,
      10n,
      10n,
    ]);
    expect(of('0.11.1', 'claude/x')).toBe(10n);
    expect(of('0.11.1', 'claude', { ...entry, service_tier: undefined })).toBe(10n);
  });

  test('reasoning beside the completion where the total has room for it', () => {
    const entry = { prompt_tokens: 2, completion_tokens: 3, thoughts_tokens: 4 };
    expect(counted('m', { ...entry, total_tokens: 9 })).toEqual([2n, 7n, 9n]);
    expect(counted('m', { ...entry, total_tokens: 8 })).toEqual([5n, 3n, 8n]);
  });

  test('what the total has beyond the counts as prompt, for Google’s models only', () => {
    const entry = { prompt_tokens: 2, completion_tokens: 3, total_tokens: 9 };
    expect(counted('x/gemini-y', entry)).toEqual([6n, 3n, 9n]);
    expect(counted('gemini/y', entry)).toEqual([2n, 3n, 9n]);
  });

  test('one pair of counts under two names once, and two pairs twice', () => {
    const pair = { prompt_tokens: 5, completion_tokens: 2, input_tokens: 5, output_tokens: 2 };
    expect(counted('m', { ...pair, total_tokens: 7 })).toEqual([5n, 2n, 7n]);
    expect(counted('m', pair)).toEqual([10n, 4n, 14n]);
  });

  test('the gross input where it is greater', () => {
    expect(counted('m', { gross_input_tokens: 8, input_tokens: 3 })).toEqual([8n, 0n, 8n]);
  });
});

test('the oracle accepts integers below 2^53 in any notation, and digits as text, as counters', () => {
  const usage = `{"usage":{"m":{"prompt_tokens":1e3,"input_tokens":1.0,"requests":-1,
    "completion_tokens":9007199254740992,"output_tokens":9007199254740991,"total_tokens":"5"},
    "an array":[1],"text":{"prompt_tokens":"012","completion_tokens":"1e3","output_tokens":" 6"},
    "zeros":{"prompt_tokens":0.5}}}`;
  const summary = parseJson(usage);
  const events: Event[] = [
    start('a'),
    { kind: 'end', part: toObject({ project_id: 'p', id: 'a', ended_at: time, summary }) },
  ];
  const counted = [...usageOf(events, 'a')].map(([model, sums]) => [model, ...tokensIn(sums)]);
  expect(counted).toEqual([
    ['m', 0n, 1001n, 2n ** 53n - 1n, 2n ** 53n + 1000n],
    ['text', 0n, 12n, 0n, 12n],
  ]);
});

function tokensIn(sums: ModelUsage): bigint[] {
  return [sums.requests, sums.promptTokens, sums.completionTokens, sums.totalTokens];
}

describe('the costs of the oracle', () => {
  function costOf(usage: object, ...prices: Partial<Price>[]): unknown {
    const usageRequest = { project: 'p', callIds: ['a'], includeCosts: true, limit: 1n };
    const base = { project: undefined, model: 'm', effectiveDate: time, serviceTier: '' };
    const any = { costs: costs('0'), promptTokensAbove: 0n, minutesOfWeek: [] };
    const events: Event[] = [
      ...prices.map((price) => ({ kind: 'price' as const, price: { ...base, ...any, ...price } })),
      ...call('a', { usage: { m: usage } }),
    ];
    const result = answer(events, usageRequest);
    if (result.kind !== 'usage') throw new Error('limit');
    const { promptCost, completionCost } = result.callUsage.get('a')!.get('m')!;
    return [promptCost, completionCost];
  }
  const costs = (prompt: string, more: Partial<Costs> = {}): Costs => ({
    ...{ prompt, completion: '2', ...more },
  });
  /** The prompt cost of one token. */
  const first = (...prices: Partial<Price>[]): unknown =>
    (costOf({ prompt_tokens: 1 }, ...prices) as unknown[])[0];

  test('price each class of tokens at its own price, or at that of a more general class', () => {
    const entry = {
      prompt_tokens: 20,
      completion_tokens: 4,
      cache_read_input_tokens: 3,
      cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 5 },
      prompt_tokens_details: { audio_tokens: 1 },
      completion_tokens_details: { audio_tokens: 1 },
    };
    const all = { cacheRead: '0.01', cacheWrite: '0.2', cacheWrite1h: '0.4', audioInput: '7' };
    // 20 − 3 − 2 − 5 − 1 = 9 are text.
    expect(costOf(entry, { costs: costs('0.1', { ...all, audioOutput: '9' }) })).toEqual([
      0.9 + 0.03 + 0.4 + 2 + 7,
      3 * 2 + 9,
    ]);
    expect(costOf(entry, { costs: costs('0.1', { cacheWrite: '0.2' }) })).toEqual([
      Number('2.7'),
      8,
    ]);
    expect(costOf(entry)).toEqual([null, null]);
  });

  test('price no more tokens of a class than are left of the prompt', () => {
    const entry = {
      prompt_tokens: 10,
      prompt_tokens_details: { cached_tokens: 6, audio_tokens: 9 },
    };
    // Cached tokens are text first: of the audio, 4 are not cached.
    const price = { costs: costs('1', { cacheRead: '0', audioInput: '2' }) };
    expect(costOf(entry, price)).toEqual([8, 0]);
    const details = { ...entry.prompt_tokens_details, cached_tokens_details: { audio_tokens: 8 } };
    expect(costOf({ ...entry, prompt_tokens_details: details }, price)).toEqual([5, 0]);
  });

  test('prefer prices in force, then the project’s, then the latest, then the one created last', () => {
    const earlier = '2025-01-01T00:00:00Z';
    const later = '2026-01-31T12:00:00.000002Z';
    const [one, two] = [{ costs: costs('1') }, { costs: costs('2') }];
    expect(first(one, two)).toBe(2);
    expect(first(one, { ...two, effectiveDate: earlier })).toBe(1);
    expect(first(one, { ...two, project: 'p', effectiveDate: earlier })).toBe(2);
    expect(first(one, { ...two, project: 'p', effectiveDate: later })).toBe(1);
    expect(first(one, { ...two, project: 'other' })).toBe(1);
    const future = { ...one, effectiveDate: '2027-01-01T00:00:00Z' };
    expect(first(future, { ...two, effectiveDate: later })).toBe(2);
    expect(first({ ...future, project: 'p' }, { ...two, effectiveDate: later })).toBe(1);
  });

  test('prefer the price of the service tier, then of the hours, then of the prompt size', () => {
    const one = { costs: costs('1') };
    // Saturday, 12:00.
    const noon = 5 * 1_440 + 720;
    const hours = { costs: costs('3'), minutesOfWeek: [{ start: noon, end: noon + 1 }] };
    expect(first(hours, one)).toBe(3);
    expect(first({ ...hours, minutesOfWeek: [{ start: noon - 1, end: noon }] }, one)).toBe(1);
    const flex = { prompt_tokens: 1, service_tier: 'FLEX' };
    const tiers = [{ costs: costs('4'), serviceTier: 'flex' }, hours];
    expect([costOf(flex, ...tiers), first(...tiers)]).toEqual([[4, 0], 3]);
    const large = [{ costs: costs('5'), promptTokensAbove: 10n }, one];
    expect(costOf({ prompt_tokens: 10 }, ...large)).toEqual([10, 0]);
    expect(costOf({ prompt_tokens: 11 }, ...large)).toEqual([55, 0]);
    // Of one request, rounded up.
    expect(costOf({ requests: 2, prompt_tokens: 20 }, ...large)).toEqual([20, 0]);
    expect(costOf({ requests: 2, prompt_tokens: 21 }, ...large)).toEqual([105, 0]);
  });

  test('take no default price where the project has one in force', () => {
    const project = { project: 'p', costs: costs('1'), serviceTier: 'batch' };
    expect(first(project, { costs: costs('2') })).toBeNull();
  });

  test('are unknown for requests that do not say what they used', () => {
    const price = { costs: costs('1') };
    expect(costOf({ requests: 1, prompt_tokens: null }, price)).toEqual([null, null]);
    expect(costOf({ requests: 1, prompt_tokens: 0 }, price)).toEqual([0, 0]);
  });
});

test('parsing and writing JSON keeps every digit and the order of keys', () => {
  const text = '{"b":1.0,"10":[9007199254740993,-0,1e3,{}],"9":"\\u0000\\"é😀","__proto__":null}';
  expect(writeJson(parseJson(` ${text} `))).toBe(text);
  for (const wrong of ['', '{', '[1,]', '{"a":1,"a":2}', '01', '1 2', '{"a" 1}', '"', 'nul', "'a'"])
    expect(() => parseJson(wrong), wrong).toThrow(SyntaxError);
});
