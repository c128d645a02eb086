/**
 * `npm run bench:prices`: what costs add to a page of 100 traces of 100 calls, with the whole price book and with
 * prices of the project for ten models, at three dates each. Medians of interleaved runs; takes about half a minute.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fillProject, waitForMerges } from './project/fill-project.ts';
import { pageOfRoots, pagesScale, project } from './project/scale.ts';
import { openBenchClient } from './support/bench-client.ts';
import { type ServiceProcess, startServer, startServiceProcess } from './support/processes.ts';
import { median } from './support/statistics.ts';
import { post, refuseFailure, requestUsage } from './support/usage-api.ts';

const runs = 31;
const warmUps = 5;

/** The four models of the bench's calls, and six others. */
const pricedModels = [
  ...['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash'],
  ...['gpt-4.1', 'o3', 'a', 'b', 'c', 'd'],
];
const dates = ['2026-01-01', '2026-06-01', '2026-06-02'];

await main();

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-bench-'));
  const server = await startServer(dataDir);
  const service = await startServiceProcess(server, dataDir, { ROLLUPS: 'false' });
  const client = openBenchClient(server.address);
  try {
    await fillProject(client, pagesScale);
    await waitForMerges(client);
    for (const date of dates) await createPrices(service, date);
    const { withCosts, withoutCosts } = await timeInTurns(service);
    const [withMs, withoutMs] = [median(withCosts), median(withoutCosts)];
    console.log(
      `100 roots × 100 calls, ${runs} runs: ${withMs.toFixed(1)} ms with costs, ` +
        `${withoutMs.toFixed(1)} ms without: ${(100 * (withMs / withoutMs - 1)).toFixed(0)} % more`,
    );
  } finally {
    await service.stop();
    await client.close();
    await server.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function createPrices(service: ServiceProcess, date: string): Promise<void> {
  const price = {
    prompt_token_cost: 0.000002,
    completion_token_cost: 0.000008,
    effective_date: `${date}T00:00:30Z`,
  };
  const response = await post(`${service.url}/cost/create`, {
    project_id: project,
    costs: Object.fromEntries(pricedModels.map((model) => [model, price])),
  });
  refuseFailure(response);
}

/** Times of the runs with and without costs, in milliseconds. */
async function timeInTurns(service: ServiceProcess) {
  const ids = pageOfRoots(pagesScale, 'own', 100);
  const times = { withCosts: [] as number[], withoutCosts: [] as number[] };
  for (let run = 0; run < warmUps + runs; run += 1) {
    for (const name of ['withCosts', 'withoutCosts'] as const) {
      const startedAt = performance.now();
      const includeCosts = name === 'withCosts';
      const response = await requestUsage(service.url, project, ids, { includeCosts });
      if (run >= warmUps) times[name].push(performance.now() - startedAt);
      refuseFailure(response);
    }
  }
  return times;
}
