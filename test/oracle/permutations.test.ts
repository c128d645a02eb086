/**
 * Sends the parts of one forest in 20 orders with random repeats, each order to its own project, from several clients
 * concurrently. Halfway, ClickHouse is killed and restarted on the same files; the clients retry every request that was
 * not answered with 200.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { EmbeddedServer } from '../../src/clickhouse/embedded/embedded-server.ts';
import { openService, type TestService } from '../support/http/service.ts';
import { makeDirectory, startServer } from '../support/clickhouse/embedded-clickhouse.ts';
import { forestSeeds, type ForestSeed } from './forests/forest-seed.ts';
import { planForest, type Part, type Plan } from './forests/plan-forest.ts';
import { toObject, writeJson } from './json.ts';
import { answer, type Event } from './oracle.ts';
import { toBatches } from './forests/part-requests.ts';
import { toCost } from './forests/run-forest.ts';
import { readAnswer, toComparable } from './read-answer.ts';

const permutations = 20;
const clients = 4;
const seed = 20_261_123;

/** A service on its own ClickHouse server. */
interface Stack {
  readonly server: EmbeddedServer;
  readonly service: TestService;
}

let directory: Awaited<ReturnType<typeof makeDirectory>>;
/** Replaced when ClickHouse is restarted. */
let stack: Promise<Stack>;
beforeAll(async () => {
  directory = await makeDirectory();
  stack = openStack();
  await stack;
});
afterAll(async () => {
  const { server, service } = await stack;
  await service.close();
  await server.stop();
  await directory.remove();
});

async function openStack(): Promise<Stack> {
  const server = await startServer(directory.path);
  const service = await openService({
    CLICKHOUSE_URL: server.address.url,
    CLICKHOUSE_USER: server.address.username,
    CLICKHOUSE_PASSWORD: server.address.password,
  });
  await service.ready;
  return { server, service };
}

async function killAndRestart(): Promise<void> {
  const { server, service } = await stack;
  process.kill(server.processId, 'SIGKILL');
  await server.ended;
  // The old service, which still runs, answers the requests in flight with errors.
  const opening = openStack();
  stack = opening;
  await opening;
  await service.close();
}

/** Sends a request until it is acknowledged. */
async function post(path: string, body: string): Promise<void> {
  for (;;) {
    const { service } = await stack;
    const status = await service.send(path, { body }).then(
      ({ status }) => status,
      () => 0,
    );
    if (status === 200) return;
    // 503 while ClickHouse is unavailable; no response if the service was closed meanwhile.
    expect([0, 503]).toContain(status);
    failures += 1;
    await sleep(50);
  }
}
let failures = 0;

/** The forest with all its calls in one project. */
function planFor(project: string): Plan {
  const { calls, prices, phases, ...rest } = findForest();
  return planForest(
    {
      ...rest,
      calls: calls.map((call) => ({ ...call, inOtherProject: false })),
      prices: prices.map((price) => ({ ...price, level: 'project', isDeleted: false })),
      phases: phases.slice(0, 1),
    },
    project,
    'same',
  );
}

/** The first forest from the seed on with 60 to 160 calls, some of them rolled up. */
function findForest(): ForestSeed {
  for (let next = seed; ; next += 1) {
    const found = fc
      .sample(forestSeeds, { seed: next, numRuns: 100 })
      .find(({ calls, rollUp }) => calls.length >= 60 && calls.length <= 160 && rollUp === 'mixed');
    if (found !== undefined) return found;
  }
}

function toParts(plan: Plan): Part[] {
  return plan.phases.flatMap(({ requests }) => requests.flatMap(({ parts }) => parts));
}

/** All parts in random order, at least a third of them repeated, divided into batches of random sizes. */
function batchesOf(parts: readonly Part[]): fc.Arbitrary<Part[][]> {
  const places = parts.map((_, place) => place);
  const repeats = fc.subarray(places, { minLength: Math.floor(parts.length / 3) });
  return repeats
    .chain((repeats) => {
      const all = [...places, ...repeats];
      return fc.tuple(
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.infiniteStream(fc.integer({ min: 1, max: 120 })),
      );
    })
    .map(([order, sizes]) => {
      const batches: Part[][] = [];
      for (let from = 0; from < order.length;) {
        const size = sizes.next().value as number;
        batches.push(order.slice(from, from + size).map((place) => parts[place]!));
        from += size;
      }
      return batches;
    });
}

test(`${permutations} orders of the same parts give the same answer, byte for byte`, async () => {
  const startedAt = performance.now();
  const projects = Array.from({ length: permutations }, (_, index) => `permutation-${index}`);
  const work = projects.flatMap((project, index) => {
    const batches = batchesOf(toParts(planFor(project)));
    return fc.sample(batches, { seed: seed + index, numRuns: 1 })[0]!.flatMap(toBatches);
  });
  for (const project of projects) {
    for (const { price } of planFor(project).phases[0]!.prices) {
      const costs = new Map([[price.model, toCost(price)]]);
      await post('/cost/create', writeJson(toObject({ project_id: price.project, costs })));
    }
  }
  // Interleaved, so that ClickHouse is killed in the middle of all orders.
  const order = fc.sample(fc.shuffledSubarray(work, { minLength: work.length }), {
    seed,
    numRuns: 1,
  })[0]!;
  const remaining = order.entries();
  let restarting: Promise<void> | undefined;
  const client = async (): Promise<void> => {
    for (const [index, { path, body }] of remaining) {
      if (index === Math.floor(order.length / 2)) restarting = killAndRestart();
      await post(path, writeJson(body));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await restarting;

  const { service } = await stack;
  const answers = new Set<string>();
  for (const project of projects) {
    const plan = planFor(project);
    const callIds = [...new Set(toParts(plan).map(({ part }) => part.get('id') as string))].sort();
    const project_id = `forest-${project}/one`;
    const body = { project_id, call_ids: callIds, include_costs: true };
    const { status, text } = await service.send('/calls/usage', { body });
    const events: Event[] = [...toParts(plan)];
    for (const { price } of plan.phases[0]!.prices) events.push({ kind: 'price', price });
    const usageRequest = { project: project_id, callIds, includeCosts: true, limit: 10_000n };
    expect(toComparable(readAnswer(status, text))).toBe(toComparable(answer(events, usageRequest)));
    answers.add(text);
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(
    `${projects.length} orders of ${toParts(planFor('x')).length} parts in ${order.length} requests, ` +
      `${failures} of them failed and repeated; ${answers.size} different answers; ${seconds} s.`,
  );
  expect(answers.size).toBe(1);
}, 600_000);
