/**
 * `npm run bench:abuse`: what hostile clients, damaged files and restarts do to the service, started with 512 MB of
 * heap; a table of what was measured beside what must hold. About ten minutes. `-- PART` runs the scenarios whose
 * names contain PART. Ends with 1 where a bound is missed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bodyScenarios } from './abuse/bodies.ts';
import { connectionScenarios } from './abuse/connections.ts';
import { outageScenarios } from './abuse/outages.ts';
import type { Outcome, Scenario } from './abuse/scenario.ts';

const scenarios = [...bodyScenarios, ...connectionScenarios, ...outageScenarios];

await main(process.argv[2] ?? '');

async function main(part: string): Promise<void> {
  const chosen = scenarios.filter(({ name }) => name.includes(part));
  console.log('| abuse | bound | measured | |\n| --- | --- | --- | --- |');
  for (const scenario of chosen) {
    const { measured, isWithinBound } = await run(scenario);
    console.log(
      `| ${scenario.name} | ${scenario.bound} | ${measured} | ${isWithinBound ? 'held' : 'MISSED'} |`,
    );
    if (!isWithinBound) process.exitCode = 1;
  }
}

async function run({ run }: Scenario): Promise<Outcome> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-abuse-'));
  try {
    return await run(dataDir);
  } catch (error) {
    return { measured: `failed: ${(error as Error).message}`, isWithinBound: false };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
