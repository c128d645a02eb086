/**
 * `npm run bench:prices`: what costs add to a page of 100 traces of 100 calls, with the whole price book loaded and ten
 * prices of the project with three dates each. Medians of interleaved runs; about half a minute.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fill, settle } from './fill.ts';
import { quantile } from './measure.ts';
import { pageOfRoots, project, quickScale, type Scale } from './scale.ts';
import {
  askUsage,
  openBenchClient,
  post,
  type ServiceProcess,
  startServer,
  startServiceProcess,
} from './servers.ts';

const runs = 31;
const warmUps = 5;
const scale: Scale = { ...quickScale, largeTrace: 1_000, evaluation: 1_000 };

/** Models of the bench's calls, and others. */
const models = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash', 'gpt-4.1', 'o3'];
const overridden = [...models, 'a', 'b', 'c', 'd'];
const dates = ['2026-01-01', '2026-06-01', '2026-06-02'];

await main();

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-bench-'));
  const server = await startServer(dataDir);
  const service = await startServiceProcess(server, dataDir);
  const client = openBenchClient(server.address);
  try {
    await fill(client, scale);
    await settle(client);
    for (const date of dates) await setPrices(service, date);
    const ids = pageOfRoots(scale, 'own', 100);
    const times = { with: [] as number[], without: [] as number[] };
    for (let run = 0; run < warmUps + runs; run += 1) {
      for (const [name, costs] of [
        ['with', true],
        ['without', false],
      ] as const) {
        const start = performance.now();
        const { status, text } = await askUsage(service.url, project, ids, { costs });
        if (status !== 200) throw new Error(`${status}: ${text.slice(0, 500)}`);
        if (run >= warmUps) times[name].push(performance.now() - start);
      }
    }
    const [withCosts, without] = [quantile(times.with, 0.5), quantile(times.without, 0.5)];
    console.log(
      `100 roots × 100 calls, ${runs} runs: ${withCosts.toFixed(1)} ms with costs, ${without.toFixed(1)} ms without: ` +
        `${(100 * (withCosts / without - 1)).toFixed(0)} % more`,
    );
  } finally {
    await service.stop();
    await client.close();
    await server.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function setPrices(service: ServiceProcess, date: string): Promise<void> {
  const price = {
    prompt_token_cost: 0.000002,
    completion_token_cost: 0.000008,
    effective_date: `${date}T00:00:30Z`,
  };
  const { status, text } = await post(`${service.url}/cost/create`, {
    project_id: project,
    costs: Object.fromEntries(overridden.map((model) => [model, price])),
  });
  if (status !== 200) throw new Error(`${status}: ${text}`);
}
