/** Deletions of any call before, between and after its parts, which may arrive again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { usageClientFixture } from '../support/fixtures.ts';
import type { Part, Plan, PlannedPhase } from './forests/plan-forest.ts';
import { toObject, writeJson } from './json.ts';
import { toBatches } from './forests/part-requests.ts';
import { newTally, runForest } from './forests/run-forest.ts';
import { toParts, toUsageRequest, type SmallCall } from './forests/small-calls.ts';

const client = usageClientFixture();

/** All calls except `own` and the cycle are rolled up. */
const calls: SmallCall[] = [
  { id: 'root', tokens: 5, isRolledUp: true },
  { id: 'a', parent: 'root', tokens: 3, isRolledUp: true, form: 'complete' },
  { id: 'b', parent: 'a', tokens: 2, isRolledUp: true, form: 'start and orphan end' },
  { id: 'c', parent: 'b', tokens: 1, isRolledUp: true },
  { id: 'own', parent: 'b', tokens: 10, form: 'complete' },
  { id: 'd', parent: 'root', isRolledUp: true },
  { id: 'cycle 1', parent: 'cycle 2', tokens: 100 },
  { id: 'cycle 2', parent: 'cycle 1', tokens: 200 },
];

async function post(path: string, body: string): Promise<unknown> {
  const response = await client.service.send(path, { body });
  expect(response.status, response.text).toBe(200);
  return response.json();
}

async function send(parts: readonly Part[]): Promise<void> {
  for (const { path, body } of toBatches(parts)) await post(path, writeJson(body));
}

async function deleteCalls(project: string, ...ids: string[]): Promise<number> {
  const body = writeJson(toObject({ project_id: project, call_ids: ids }));
  return ((await post('/calls/delete', body)) as { num_deleted: number }).num_deleted;
}

/** Prompt tokens of calls that have some. */
async function tokensOf(project: string, ...ids: string[]): Promise<Record<string, number>> {
  const body = writeJson(toObject({ project_id: project, call_ids: ids }));
  const { call_usage } = (await post('/calls/usage', body)) as {
    call_usage: Record<string, { m?: { prompt_tokens: number } }>;
  };
  const tokens = Object.entries(call_usage).flatMap(([id, { m }]) =>
    m === undefined ? [] : [[id, m.prompt_tokens]],
  );
  return Object.fromEntries(tokens) as Record<string, number>;
}

test('a deleted call stays deleted when its parts arrive again, and later descendants are not counted for its ancestors', async () => {
  const project = 'deletes/again';
  const parts = toParts(project, calls);
  const late = toParts(project, [{ id: 'late', parent: 'c', tokens: 1_000 }]);
  await send(parts);
  expect(await tokensOf(project, 'root', 'b')).toEqual({ root: 15, b: 12 });

  // Deletes b, c and own. The root's own usage is 5 - 3, that of a is 3 - 2.
  expect(await deleteCalls(project, 'b')).toBe(3);
  expect(await tokensOf(project, 'root', 'a', 'b', 'c', 'own')).toEqual({ root: 3, a: 1 });

  await send(parts);
  await send(late);
  expect(await tokensOf(project, 'root', 'a', 'b', 'c', 'own')).toEqual({ root: 3, a: 1 });
  // It arrived after the deletion of its ancestors, so it is present, but not counted for an ancestor.
  expect(await tokensOf(project, 'late')).toEqual({ late: 1_000 });

  // Reaches `late` through deleted calls; only `late` is newly deleted.
  expect(await deleteCalls(project, 'b')).toBe(1);
  expect(await tokensOf(project, 'late')).toEqual({});
  expect(await deleteCalls(project, 'b')).toBe(0);
});

test('deleting a call before its start arrives has no effect', async () => {
  const project = 'deletes/early';
  const parts = toParts(project, [{ id: 'x', tokens: 7 }]);
  expect(await deleteCalls(project, 'x')).toBe(0);
  await send(parts.filter(({ kind }) => kind === 'end'));
  expect(await deleteCalls(project, 'x')).toBe(0);
  await send(parts);
  expect(await tokensOf(project, 'x')).toEqual({ x: 7 });
});

test('an end that arrives after the deletion of its call does not restore the call', async () => {
  const project = 'deletes/ends';
  const [start, end] = toParts(project, [{ id: 'x', tokens: 7, form: 'start and orphan end' }]);
  await send([start!]);
  expect(await deleteCalls(project, 'x')).toBe(1);
  await send([end!]);
  expect(await tokensOf(project, 'x')).toEqual({});
});

test('the calls of a cycle are counted once when they are deleted', async () => {
  const project = 'deletes/cycle';
  await send(toParts(project, calls));
  expect(await deleteCalls(project, 'cycle 2', 'cycle 1', 'cycle 2')).toBe(2);
  expect(await tokensOf(project, 'cycle 1', 'root')).toEqual({ root: 15 });
});

test('a deletion does not affect other projects', async () => {
  await send([...toParts('deletes/one', calls), ...toParts('deletes/other', calls)]);
  expect(await deleteCalls('deletes/one', 'root')).toBe(6);
  expect(await tokensOf('deletes/one', 'root', 'a')).toEqual({});
  expect(await tokensOf('deletes/other', 'root', 'a')).toEqual({ root: 15, a: 13 });
});

test('answers equal the oracle’s after deleting any call between its parts and after repeating all parts', async () => {
  const tally = newTally();
  let projects = 0;
  for (const { id } of calls) {
    for (const share of [0.5, 1]) {
      const project = `deletes/any-${(projects += 1)}`;
      const parts = toParts(project, calls);
      const order = fc.shuffledSubarray(parts, { minLength: parts.length });
      const [sample] = fc.sample(order, { seed: projects, numRuns: 1 });
      const before = Math.floor(share * parts.length);
      const phase = (sent: readonly Part[], deleted: readonly string[]): PlannedPhase => ({
        prices: [],
        requests: [{ channel: 'batch', hasInvalidItem: false, parts: sent }],
        parallel: 1,
        deletions: deleted.map((callId) => ({ project, callIds: [callId] })),
        usageRequests: [toUsageRequest(project, calls)],
      });
      const phases = [
        phase(sample!.slice(0, before), [id]),
        phase(sample!.slice(before), []),
        phase(sample!, [id]),
      ];
      const plan: Plan = { phases, callCount: calls.length };
      await runForest(plan, client, tally);
    }
  }
  // Three answers and two deletions each.
  expect(tally.answers).toBe(calls.length * 2 * 5);
}, 600_000);
