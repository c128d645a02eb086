/** Deletions between parts: of any call, before, between and after its parts, which may arrive again. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openTestClickHouse, type TestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { openService, type TestService } from '../support/http/service.ts';
import type { Part, Plan, PlannedPhase } from './forests/plan-forest.ts';
import { toObject, writeJson } from './json.ts';
import { toBatches } from './forests/part-requests.ts';
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

/** Each call but `own` is an SDK's and spent 1 itself; two are each other's parents. */
const calls: SmallCall[] = [
  { id: 'root', tokens: 5, isRolledUp: true },
  { id: 'a', parent: 'root', tokens: 3, isRolledUp: true, form: 'complete' },
  { id: 'b', parent: 'a', tokens: 2, isRolledUp: true, form: 'start and orphan end' },
  { id: 'c', parent: 'b', tokens: 1, isRolledUp: true },
  { id: 'own', parent: 'b', tokens: 10, form: 'complete' },
  { id: 'd', parent: 'root', isRolledUp: true },
  { id: 'circle 1', parent: 'circle 2', tokens: 100 },
  { id: 'circle 2', parent: 'circle 1', tokens: 200 },
];

async function post(path: string, body: string): Promise<unknown> {
  const answer = await service.send(path, { body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json();
}

async function send(parts: readonly Part[]): Promise<void> {
  for (const { path, body } of toBatches(parts)) await post(path, writeJson(body));
}

async function remove(project: string, ...ids: string[]): Promise<number> {
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

test('what was deleted stays deleted when its parts arrive again, and cuts off what comes below it', async () => {
  const project = 'deletes/again';
  const parts = toParts(project, calls);
  const late = toParts(project, [{ id: 'late', parent: 'c', tokens: 1_000 }]);
  await send(parts);
  expect(await tokensOf(project, 'root', 'b')).toEqual({ root: 15, b: 12 });

  // b, c and own. The root's 5 are its own 1, and what a stored, which holds b's 2.
  expect(await remove(project, 'b')).toBe(3);
  expect(await tokensOf(project, 'root', 'a', 'b', 'c', 'own')).toEqual({ root: 3, a: 1 });

  await send(parts);
  await send(late);
  expect(await tokensOf(project, 'root', 'a', 'b', 'c', 'own')).toEqual({ root: 3, a: 1 });
  // It was not known when its ancestors were deleted: there by itself, but nobody's descendant.
  expect(await tokensOf(project, 'late')).toEqual({ late: 1_000 });

  // Through deleted calls down to it: only it is new.
  expect(await remove(project, 'b')).toBe(1);
  expect(await tokensOf(project, 'late')).toEqual({});
  expect(await remove(project, 'b')).toBe(0);
});

test('a call that is not there yet is not deleted', async () => {
  const project = 'deletes/early';
  const parts = toParts(project, [{ id: 'x', tokens: 7 }]);
  expect(await remove(project, 'x')).toBe(0);
  await send(parts.filter(({ kind }) => kind === 'end'));
  expect(await remove(project, 'x')).toBe(0);
  await send(parts);
  expect(await tokensOf(project, 'x')).toEqual({ x: 7 });
});

test('an end that arrives after its call was deleted brings nothing back', async () => {
  const project = 'deletes/ends';
  const [start, end] = toParts(project, [{ id: 'x', tokens: 7, form: 'start and orphan end' }]);
  await send([start!]);
  expect(await remove(project, 'x')).toBe(1);
  await send([end!]);
  expect(await tokensOf(project, 'x')).toEqual({});
});

test('a deleted circle is deleted once', async () => {
  const project = 'deletes/circle';
  await send(toParts(project, calls));
  expect(await remove(project, 'circle 2', 'circle 1', 'circle 2')).toBe(2);
  expect(await tokensOf(project, 'circle 1', 'root')).toEqual({ root: 15 });
});

test('deletions of another project change nothing', async () => {
  await send([...toParts('deletes/one', calls), ...toParts('deletes/other', calls)]);
  expect(await remove('deletes/one', 'root')).toBe(6);
  expect(await tokensOf('deletes/one', 'root', 'a')).toEqual({});
  expect(await tokensOf('deletes/other', 'root', 'a')).toEqual({ root: 15, a: 13 });
});

test('any call, after any number of parts, and all parts once more', async () => {
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
      await runForest(plan, { service, clickhouse }, tally);
    }
  }
  // Three answers and two deletions each.
  expect(tally.answers).toBe(calls.length * 2 * 5);
}, 180_000);
