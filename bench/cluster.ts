/**
 * `npm run bench:cluster`: a page of 100 traces of 100 calls on a cluster of two embedded ClickHouse servers, beside the
 * same page on one, through a service each. Both clusters share this machine's cores, so it shows what it costs to be a
 * cluster, not what is won by it. Medians of interleaved runs; about a minute.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClickHouseClient } from '@clickhouse/client';
import { startEmbeddedPair } from '../test/support/embedded-pair.ts';
import { fill } from './fill.ts';
import { quantile } from './measure.ts';
import { pageOfRoots, project, quickScale, type Scale } from './scale.ts';
import {
  askUsage,
  openBenchClient,
  type ServiceProcess,
  startServer,
  startServiceProcess,
} from './servers.ts';

const runs = 21;
const warmUps = 3;
const scale: Scale = { ...quickScale, largeTrace: 1_000, evaluation: 1_000 };

await main();

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-bench-'));
  const pair = await startEmbeddedPair();
  const single = await startServer(join(directory, 'single'));
  const onCluster = await startServiceProcess(single, join(directory, 'service'), pair.environment);
  const onSingle = await startServiceProcess(single, join(directory, 'single'));
  const clients = [...pair.addresses, single.address].map((address) => openBenchClient(address));
  try {
    await fillBoth(clients);
    const ids = pageOfRoots(scale, 'own', 100);
    const times = await measure([onSingle, onCluster], ids);
    const [one, two] = times.map((each) => quantile(each, 0.5)) as [number, number];
    console.log(
      `100 roots × 100 calls, ${runs} runs: ${one.toFixed(1)} ms on one server, ${two.toFixed(1)} ms on two shards: ` +
        `${(two / one).toFixed(2)} ×`,
    );
  } finally {
    await Promise.all([onCluster.stop(), onSingle.stop()]);
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all([pair.stop(), single.stop()]);
    await rm(directory, { recursive: true });
  }
}

/** The same rows for both, merged; what the cluster has taken is on its shards when this resolves. */
async function fillBoth(clients: readonly ClickHouseClient[]): Promise<void> {
  const [first, second, single] = clients as [ClickHouseClient, ClickHouseClient, ClickHouseClient];
  await fill(single, scale, false);
  await fill(first, scale, false);
  await first.command({ query: 'SYSTEM FLUSH DISTRIBUTED call_parts' });
  for (const client of [first, second]) {
    await client.command({ query: 'SYSTEM FLUSH DISTRIBUTED call_traces' });
  }
  for (const table of ['calls', 'call_traces']) {
    await single.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
    for (const client of [first, second]) {
      await client.command({ query: `OPTIMIZE TABLE calls_usage_local.${table} FINAL` });
    }
  }
}

/** Asks both the same in turns; their answers must be the same. */
async function measure(
  services: readonly ServiceProcess[],
  ids: readonly string[],
): Promise<number[][]> {
  const times = services.map((): number[] => []);
  for (let run = 0; run < warmUps + runs; run += 1) {
    const answers: string[] = [];
    for (const [index, { url }] of services.entries()) {
      const start = performance.now();
      const { status, text } = await askUsage(url, project, ids);
      if (status !== 200) throw new Error(`${status}: ${text.slice(0, 500)}`);
      if (run >= warmUps) times[index]?.push(performance.now() - start);
      answers.push(text);
    }
    if (new Set(answers).size > 1) throw new Error('one server and the cluster differ');
  }
  return times;
}
