/**
 * Sends random forests of calls to a service on ClickHouse in random order and compares every answer with the oracle's.
 *
 * FORESTS and CLUSTER_FORESTS set how many run on one server and on a cluster (`npm run test:forests` runs 5,000 and 500).
 * FOREST_SEED repeats a run. A forest whose answer differs is reduced for FOREST_SHRINK_MS and printed as the requests
 * that were sent, with the FOREST_SEED and FOREST_PATH of the original forest.
 */
import { randomBytes } from 'node:crypto';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { randomSeed as seed } from '../support/random-seed.ts';
import { forestSeeds, type ForestSeed } from './forests/forest-seed.ts';
import { openCluster, openServer, type TestStack } from './forests/open-stack.ts';
import { planForest } from './forests/plan-forest.ts';
import { newTally, runForest, type Tally } from './forests/run-forest.ts';
import { reduceForest } from './forests/reduce-forest.ts';

const onServer = Number(process.env['FORESTS'] ?? 24);
const onCluster = Number(process.env['CLUSTER_FORESTS'] ?? 4);
const shrinkMs = Number(process.env['FOREST_SHRINK_MS'] ?? 60_000);
const path = process.env['FOREST_PATH'];

/** The number of forests in flight. Each worker has its own seed, and each forest its own projects. */
const workers = path === undefined ? 4 : 1;

// So that usage requests are coalesced.
const settings = { USAGE_CONCURRENCY: '2' };

test.each([
  ['one server', openServer, onServer],
  ['a cluster of two shards', openCluster, onCluster],
])(
  'every answer about random forests, sent in random order, equals the oracle’s, on %s',
  async (_, open, forests) => {
    const stack = await open(settings);
    const tally = newTally();
    const startedAt = performance.now();
    hasDifference = false;
    const runs = Array.from({ length: workers }, (_, worker) =>
      runMany(stack, seed + worker, forests, tally),
    );
    const differences = (await Promise.all(runs)).filter((difference) => difference !== undefined);
    const seconds = (performance.now() - startedAt) / 1_000;
    await stack.close();
    console.log(
      `Seed ${seed}: ${tally.forests} forests of ${tally.calls} calls in ${tally.requests} requests; ` +
        `${tally.answers} answers compared, with the usage of ${tally.entries} calls and ${tally.treeCalls} calls of trees; ${seconds.toFixed(1)} s.`,
    );
    expect(differences.join('\n\n'), 'differences from the oracle').toBe('');
  },
  60_000 + Math.max(onServer, onCluster * 4) * 10_000 + workers * shrinkMs,
);

/** Set by the first difference, which stops all workers. */
let hasDifference = false;

/** @returns a description of the first difference; undefined if there is none */
async function runMany(
  stack: TestStack,
  workerSeed: number,
  forests: number,
  tally: Tally,
): Promise<string | undefined> {
  const property = fc.asyncProperty(forestSeeds, async (forestSeed) => {
    if (!hasDifference) await planAndRun(stack, forestSeed, tally);
  });
  const result = await fc.check(property, {
    seed: workerSeed,
    numRuns: path === undefined ? Math.ceil(forests / workers) : 1,
    // reduceForest needs fewer attempts than fast-check's shrinking.
    endOnFailure: true,
    ...(path === undefined ? {} : { path }),
  });
  if (!result.failed || result.counterexample === null) return undefined;
  hasDifference = true;
  let difference = String(result.errorInstance);
  const fails = async (smaller: ForestSeed): Promise<boolean> => {
    try {
      await planAndRun(stack, smaller, tally);
      return false;
    } catch (error) {
      difference = String(error);
      return true;
    }
  };
  await reduceForest(result.counterexample[0], fails, performance.now() + shrinkMs);
  const variables = `FOREST_SEED=${workerSeed} FOREST_PATH=${result.counterexamplePath}`;
  const command = `${variables} npx vitest run test/oracle/forests.test.ts --project embedded`;
  return `${difference}\n\nRepeat with: ${command}`;
}

async function planAndRun(stack: TestStack, forestSeed: ForestSeed, tally: Tally): Promise<void> {
  const plan = planForest(forestSeed, randomBytes(6).toString('hex'));
  await runForest(plan, stack, tally);
}
