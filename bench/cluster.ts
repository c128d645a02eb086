/**
 * `npm run bench:cluster`: a page of 100 traces of 100 calls on a cluster of two embedded ClickHouse servers, compared
 * with the same page on one server, through a service each. Both share the cores of this machine, so it shows the cost
 * of a cluster, not its gain. Medians of interleaved runs; takes about a minute.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClickHouseClient } from '@clickhouse/client';

import { startEmbeddedPair } from '../test/support/clickhouse/embedded-pair.ts';
import { fillProject } from './project/fill-project.ts';
import { pageOfRoots, pagesScale, project } from './project/scale.ts';
import { openBenchClient } from './support/bench-client.ts';
import { type ServiceProcess, startServer, startServiceProcess } from './support/processes.ts';
import { median } from './support/statistics.ts';
import { refuseFailure, requestUsage } from './support/usage-api.ts';

const runs = 21;
const warmUps = 3;

await main();

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-bench-'));
  const pair = await startEmbeddedPair();
  const single = await startServer(join(directory, 'single'));
  const onCluster = await startServiceProcess(single, join(directory, 'service'), pair.environment);
  const onSingle = await startServiceProcess(single, join(directory, 'single'));
  const clients = [...pair.addresses, single.address].map((address) => openBenchClient(address));
  try {
    await fillBoth(clients as [ClickHouseClient, ClickHouseClient, ClickHouseClient]);
    const ids = pageOfRoots(pagesScale, 'own', 100);
    const [singleTimes = [], clusterTimes = []] = await timeInTurns([onSingle, onCluster], ids);
    const [singleMs, clusterMs] = [median(singleTimes), median(clusterTimes)];
    console.log(
      `100 roots × 100 calls, ${runs} runs: ${singleMs.toFixed(1)} ms on one server, ` +
        `${clusterMs.toFixed(1)} ms on two shards: ${(clusterMs / singleMs).toFixed(2)} ×`,
    );
  } finally {
    await Promise.all([onCluster.stop(), onSingle.stop()]);
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all([pair.stop(), single.stop()]);
    await rm(directory, { recursive: true });
  }
}

/** Inserts the same rows into the cluster and the single server and merges them on every node. */
async function fillBoth([first, second, single]: readonly [
  ClickHouseClient,
  ClickHouseClient,
  ClickHouseClient,
]): Promise<void> {
  await fillProject(single, pagesScale, false);
  await fillProject(first, pagesScale, false);
  await first.command({ query: 'SYSTEM FLUSH DISTRIBUTED call_parts' });
  for (const client of [first, second]) {
    await client.command({ query: 'SYSTEM FLUSH DISTRIBUTED call_traces' });
  }
  for (const table of ['merged_calls', 'call_traces']) {
    await single.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
    for (const client of [first, second]) {
      await client.command({ query: `OPTIMIZE TABLE calls_usage_local.${table} FINAL` });
    }
  }
}

/**
 * Sends the same request to each service in turns.
 * @returns for each service the times of its runs, in milliseconds
 * @throws {Error} if their responses differ
 */
async function timeInTurns(
  services: readonly ServiceProcess[],
  ids: readonly string[],
): Promise<number[][]> {
  const times = services.map((): number[] => []);
  for (let run = 0; run < warmUps + runs; run += 1) {
    const responses = new Set<string>();
    for (const [index, { url }] of services.entries()) {
      const startedAt = performance.now();
      const response = await requestUsage(url, project, ids);
      if (run >= warmUps) times[index]?.push(performance.now() - startedAt);
      refuseFailure(response);
      responses.add(response.text);
    }
    if (responses.size > 1) throw new Error('the responses of one server and the cluster differ');
  }
  return times;
}
