/** Usage requests between the parts of calls: answers are right for the parts that have arrived. */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { usageClientFixture } from '../support/fixtures.ts';
import type { Part, Plan, PlannedPhase } from './forests/plan-forest.ts';
import { toObject, writeJson } from './json.ts';
import { toSingle } from './forests/part-requests.ts';
import { newTally, runForest } from './forests/run-forest.ts';
import { toParts, toUsageRequest, type SmallCall } from './forests/small-calls.ts';

const client = usageClientFixture();

/** Rolled-up calls that used 1 token each themselves, one call that ran elsewhere and was sent over REST, and its child. */
const calls: SmallCall[] = [
  { id: 'root', tokens: 4, isRolledUp: true },
  { id: 'a', parent: 'root', tokens: 2, isRolledUp: true, form: 'start and orphan end' },
  { id: 'b', parent: 'a', tokens: 1, isRolledUp: true, form: 'complete' },
  { id: 'c', parent: 'root', tokens: 1, isRolledUp: true },
  { id: 'elsewhere', parent: 'a', tokens: 10 },
  { id: 'running', parent: 'elsewhere' },
];

const parts = toParts('partial/fixed', calls);

async function send(part: Part): Promise<void> {
  const { path, body } = toSingle(part, false);
  expect((await client.service.send(path, { body: writeJson(body) })).status).toBe(200);
}

function find(kind: Part['kind'], id: string): Part {
  return parts.find((each) => each.kind === kind && each.part.get('id') === id)!;
}

/** Requests the usage of all calls; returns the prompt tokens of calls that have some, and the unfinished calls. */
async function queryUsage(): Promise<{ tokens: Record<string, number>; unfinished: string[] }> {
  const body = toObject({ project_id: 'partial/fixed', call_ids: calls.map(({ id }) => id) });
  const { text } = await client.service.send('/calls/usage', { body: writeJson(body) });
  const { call_usage, unfinished_call_ids: unfinished } = JSON.parse(text) as {
    call_usage: Record<string, { m?: { prompt_tokens: number } }>;
    unfinished_call_ids: string[];
  };
  const tokens = Object.entries(call_usage).flatMap(([id, { m }]) =>
    m === undefined ? [] : [[id, m.prompt_tokens]],
  );
  return { tokens: Object.fromEntries(tokens) as Record<string, number>, unfinished };
}

test('an answer covers the parts that have arrived, and is complete once all have', async () => {
  // The parent of b is unknown, but b can be requested.
  await send(find('whole', 'b'));
  expect(await queryUsage()).toEqual({ tokens: { b: 1 }, unfinished: [] });

  // Ends without their starts are ignored.
  await send(find('end', 'a'));
  await send(find('end', 'root'));
  expect(await queryUsage()).toEqual({ tokens: { b: 1 }, unfinished: [] });

  // The root has 4 tokens and no known child: all 4 are its own until children arrive.
  await send(find('start', 'root'));
  expect(await queryUsage()).toEqual({ tokens: { root: 4, b: 1 }, unfinished: [] });

  // a links b to the root, and the orphan end of a is repaired: 2 of the root's 4 are those of a, 1 of them b's.
  await send(find('start', 'a'));
  expect(await queryUsage()).toEqual({ tokens: { root: 4, a: 2, b: 1 }, unfinished: [] });

  // Unfinished calls have no usage yet.
  await send(find('start', 'c'));
  await send(find('start', 'running'));
  expect(await queryUsage()).toEqual({
    tokens: { root: 4, a: 2, b: 1 },
    unfinished: ['c', 'running'],
  });

  // 1 of the root's tokens is that of c.
  await send(find('end', 'c'));
  expect(await queryUsage()).toEqual({
    tokens: { root: 4, a: 2, b: 1, c: 1 },
    unfinished: ['running'],
  });

  // The call that ran elsewhere arrives last; its 10 tokens are not included in any other call's usage.
  await send(find('end', 'elsewhere'));
  await send(find('start', 'elsewhere'));
  expect(await queryUsage()).toEqual({
    tokens: { root: 14, a: 12, b: 1, c: 1, elsewhere: 10 },
    unfinished: ['running'],
  });
});

test('after every part, in 10 orders, the answer equals the oracle’s', async () => {
  const order = fc.shuffledSubarray(parts, { minLength: parts.length });
  const tally = newTally();
  for (const [index, sample] of fc.sample(order, { seed: 5, numRuns: 10 }).entries()) {
    const project = `partial/order-${index}`;
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
    await runForest(plan, client, tally);
  }
  expect(tally.answers).toBe(10 * parts.length);
}, 600_000);

/** A price that is created halfway; it applies to earlier calls too. */
function latePrice(project: string): PlannedPhase['prices'][number] {
  const price = {
    project,
    model: 'm',
    effectiveDate: '2025-01-01T00:00:00Z',
    costs: { prompt: '0.001', completion: '0' },
    promptTokensAbove: 0n,
    serviceTier: '',
    minutesOfWeek: [],
  };
  return { price, isDeleted: false };
}
