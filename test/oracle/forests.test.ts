/**
 * Random forests, sent to a real service on a real ClickHouse in random order, and every answer compared with
 * the oracle's.
 *
 * FORESTS=5000 (or `npm run test:forests`) plays more of them, CLUSTER_FORESTS those on a cluster, FOREST_SEED=… repeats a run. A forest that is
 * answered otherwise is made smaller for FOREST_SHRINK_MS and printed as the requests that were sent, with the
 * FOREST_SEED and FOREST_PATH that play the forest again from which it came.
 */
import { randomBytes } from 'node:crypto';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { openTestCluster } from '../support/cluster.ts';
import { openTestClickHouse } from '../support/clickhouse.ts';
import { openService, type TestService } from '../support/service.ts';
import { forestSeeds, type ForestSeed } from './forests/forest-seed.ts';
import { planForest } from './forests/plan-forest.ts';
import { newTally, runForest, type Target, type Tally } from './forests/run-forest.ts';
import { reduceForest } from './forests/reduce-forest.ts';

/** On one server, and on a cluster of two. */
const onServer = Number(process.env['FORESTS'] ?? 304);
const onCluster = Number(process.env['CLUSTER_FORESTS'] ?? 24);
const shrinkMs = Number(process.env['FOREST_SHRINK_MS'] ?? 60_000);
const seed = Number(process.env['FOREST_SEED'] ?? randomBytes(4).readInt32LE());
const path = process.env['FOREST_PATH'];

/** Forests at once; each has its own projects and a seed of its own. */
const workers = path === undefined ? 4 : 1;

/** What a forest is played with. */
interface TestStack extends Target {
  readonly service: TestService;
  readonly close: () => Promise<void>;
}

// Few readings at once, so that questions share them.
const sharing = { USAGE_CONCURRENCY: '2' };

async function openServer(): Promise<TestStack> {
  const clickhouse = await openTestClickHouse();
  const service = await openService({ ...clickhouse.environment, ...sharing });
  const close = async (): Promise<void> => {
    await service.close();
    await clickhouse.close();
  };
  return { clickhouse, service, close };
}

async function openCluster(): Promise<TestStack> {
  const cluster = await openTestCluster();
  const service = await openService({ ...cluster.environment, ...sharing });
  await service.ready;
  const close = async (): Promise<void> => {
    await service.close();
    await cluster.stop();
  };
  return { clickhouse: cluster, service, close };
}

test.each([
  ['one server', openServer, onServer],
  ['a cluster of two shards', openCluster, onCluster],
])(
  'any forest, sent in any order, is answered as the oracle does, by %s',
  async (_, open, forests) => {
    const stack = await open();
    await stack.service.ready;
    const tally = newTally();
    const began = performance.now();
    hasDifference = false;
    const runs = Array.from({ length: workers }, (_, worker) =>
      runMany(stack, seed + worker, forests, tally),
    );
    const issues = (await Promise.all(runs)).filter((issue) => issue !== undefined);
    const seconds = (performance.now() - began) / 1_000;
    await stack.close();
    console.log(
      `Seed ${seed}: ${tally.forests} forests of ${tally.calls} calls in ${tally.requests} requests; ` +
        `${tally.answers} answers compared, with the usage of ${tally.entries} calls; ${seconds.toFixed(1)} s.`,
    );
    expect(issues.join('\n\n'), 'differences from the oracle').toBe('');
  },
  60_000 + Math.max(onServer, onCluster) * 3_000 + workers * shrinkMs,
);

/** Set by the first difference, which ends all lanes. */
let hasDifference = false;

/** @returns what differed, to be printed; undefined when nothing did */
async function runMany(
  stack: TestStack,
  workerSeed: number,
  forests: number,
  tally: Tally,
): Promise<string | undefined> {
  const property = fc.asyncProperty(forestSeeds, async (forestSeed) => {
    if (!hasDifference) await play(stack, forestSeed, tally);
  });
  const result = await fc.check(property, {
    seed: workerSeed,
    numRuns: path === undefined ? Math.ceil(forests / workers) : 1,
    // reduceForest does better.
    endOnFailure: true,
    ...(path === undefined ? {} : { path }),
  });
  if (!result.failed || result.counterexample === null) return undefined;
  hasDifference = true;
  let difference = String(result.errorInstance);
  const fails = async (smaller: ForestSeed): Promise<boolean> => {
    try {
      await play(stack, smaller, tally);
      return false;
    } catch (error) {
      difference = String(error);
      return true;
    }
  };
  await reduceForest(result.counterexample[0], fails, performance.now() + shrinkMs);
  const replay = `FOREST_SEED=${workerSeed} FOREST_PATH=${result.counterexamplePath}`;
  const command = `${replay} npx vitest run test/oracle/forests.test.ts --project embedded`;
  return `${difference}\n\nRepeat with: ${command}`;
}

async function play(stack: TestStack, forestSeed: ForestSeed, tally: Tally): Promise<void> {
  const plan = planForest(forestSeed, randomBytes(6).toString('hex'));
  await runForest(plan, stack, tally);
}
