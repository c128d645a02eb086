/**
 * Questions between the parts: what an answer says while parts are missing is right for what is there, and
 * becomes right as they arrive.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openTestClickHouse, type TestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { openService, type TestService } from '../support/http/service.ts';
import type { Part, Plan, PlannedPhase } from './forests/plan-forest.ts';
import { toObject, writeJson } from './json.ts';
import { toSingle } from './forests/part-requests.ts';
import { newTally, runForest } from './forests/run-forest.ts';
import { toParts, toUsageRequest, type SmallCall } from './forests/small-calls.ts';

let clickhouse: TestClickHouse;
let service: TestService;
beforeAll(async () => {
  clickhouse = await openTestClickHouse();
  service = await openService(clickhouse.environment);
  await service.ready;
});
afterAll(async () => {
  await service.close();
  await clickhouse.close();
});

/** An SDK's calls, each of which spent 1 itself, and one that ran elsewhere and came over REST. */
const calls: SmallCall[] = [
  { id: 'root', tokens: 4, isRolledUp: true },
  { id: 'a', parent: 'root', tokens: 2, isRolledUp: true, form: 'start and orphan end' },
  { id: 'b', parent: 'a', tokens: 1, isRolledUp: true, form: 'complete' },
  { id: 'c', parent: 'root', tokens: 1, isRolledUp: true },
  { id: 'elsewhere', parent: 'a', tokens: 10 },
  { id: 'running', parent: 'elsewhere' },
];

const parts = toParts('late/fixed', calls);

async function send(part: Part): Promise<void> {
  const { path, body } = toSingle(part, false);
  expect((await service.send(path, { body: writeJson(body) })).status).toBe(200);
}

function find(kind: Part['kind'], id: string): Part {
  return parts.find((each) => each.kind === kind && each.part.get('id') === id)!;
}

/** What is answered for all calls: prompt tokens of those that have some, and what is unfinished. */
async function ask(): Promise<{ tokens: Record<string, number>; unfinished: string[] }> {
  const body = toObject({ project_id: 'late/fixed', call_ids: calls.map(({ id }) => id) });
  const { text } = await service.send('/calls/usage', { body: writeJson(body) });
  const { call_usage, unfinished_call_ids: unfinished } = JSON.parse(text) as {
    call_usage: Record<string, { m?: { prompt_tokens: number } }>;
    unfinished_call_ids: string[];
  };
  const tokens = Object.entries(call_usage).flatMap(([id, { m }]) =>
    m === undefined ? [] : [[id, m.prompt_tokens]],
  );
  return { tokens: Object.fromEntries(tokens) as Record<string, number>, unfinished };
}

test('an answer holds what has arrived, and in the end the truth', async () => {
  // Its parent is unknown, so b is an orphan that can be asked for by itself.
  await send(find('whole', 'b'));
  expect(await ask()).toEqual({ tokens: { b: 1 }, unfinished: [] });

  // The ends are there, their starts not: they are not seen.
  await send(find('end', 'a'));
  await send(find('end', 'root'));
  expect(await ask()).toEqual({ tokens: { b: 1 }, unfinished: [] });

  // The root says 4, but no child of it is known: the 4 are its own, until the children come.
  await send(find('start', 'root'));
  expect(await ask()).toEqual({ tokens: { root: 4, b: 1 }, unfinished: [] });

  // a links b to the root, and its end without a trace id is found: 2 of the root's 4 are a's, 1 of them b's.
  await send(find('start', 'a'));
  expect(await ask()).toEqual({ tokens: { root: 4, a: 2, b: 1 }, unfinished: [] });

  // What runs has spent nothing yet.
  await send(find('start', 'c'));
  await send(find('start', 'running'));
  expect(await ask()).toEqual({ tokens: { root: 4, a: 2, b: 1 }, unfinished: ['c', 'running'] });

  // 1 of what was the root's own was c's.
  await send(find('end', 'c'));
  expect(await ask()).toEqual({ tokens: { root: 4, a: 2, b: 1, c: 1 }, unfinished: ['running'] });

  // The call that ran elsewhere comes last; its 10 are in nobody's number.
  await send(find('end', 'elsewhere'));
  await send(find('start', 'elsewhere'));
  expect(await ask()).toEqual({
    tokens: { root: 14, a: 12, b: 1, c: 1, elsewhere: 10 },
    unfinished: ['running'],
  });
});

test('after every single part, in 10 orders, the answer is right for what is there', async () => {
  const order = fc.shuffledSubarray(parts, { minLength: parts.length });
  const tally = newTally();
  for (const [index, sample] of fc.sample(order, { seed: 5, numRuns: 10 }).entries()) {
    const project = `late/order-${index}`;
    const sent = sample.map(({ kind, part }): Part => {
      return { kind, part: new Map([...part, ['project_id', project]]) };
    });
    const phases = sent.map((part, at): PlannedPhase => {
      return {
        prices: at === Math.floor(sent.length / 2) ? [latePrice(project)] : [],
        requests: [{ channel: 'single', hasInvalidItem: false, parts: [part] }],
        parallel: 1,
        deletions: [],
        usageRequests: [toUsageRequest(project, calls)],
      };
    });
    const plan: Plan = { phases, callCount: calls.length };
    await runForest(plan, { service, clickhouse }, tally);
  }
  expect(tally.answers).toBe(10 * parts.length);
}, 180_000);

/** A price that comes half way: from then on it holds for what was spent before, too. */
function latePrice(project: string): PlannedPhase['prices'][number] {
  const price = {
    project,
    model: 'm',
    effectiveDate: '2025-01-01T00:00:00Z',
    promptCost: '0.1',
    completionCost: '0',
    cacheReadCost: undefined,
    cacheCreationCost: undefined,
  };
  return { price, isDeleted: false };
}
