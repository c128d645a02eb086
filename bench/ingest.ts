/**
 * `npm run bench:ingest`: how fast calls are taken in, beside inserting the same rows directly; what many small
 * requests do to latency and to ClickHouse's parts; and what questions take meanwhile. `-- --quick` takes less than
 * 40 seconds, the whole about four minutes.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import type { ClickHouseClient } from '@clickhouse/client';

import type { EmbeddedServer } from '../src/clickhouse/embedded/embedded-server.ts';
import type { Order, Sent } from './ingest-client.ts';
import {
  type Acknowledged,
  countLost,
  median,
  quantile,
  readRows,
  readSeconds,
  rounded,
} from './ingest-figures.ts';
import {
  askUsage,
  openBenchClient,
  type ServiceProcess,
  startServer,
  startServiceProcess,
} from './servers.ts';

/** How long to measure. */
export interface IngestOptions {
  /** Rounds of the four ways to insert, each of so many seconds. */
  readonly rounds: number;
  readonly roundSeconds: number;
  /** Clients that send five parts each, five times a second. */
  readonly smallClients: number;
  readonly smallSeconds: number;
  /** How long questions are asked, quietly and while parts come in at half of the highest rate. */
  readonly querySeconds: number;
}

export const quickIngest: IngestOptions = {
  ...{ rounds: 2, roundSeconds: 1.5, smallClients: 100, smallSeconds: 5, querySeconds: 3 },
};

export const fullIngest: IngestOptions = {
  ...{ rounds: 5, roundSeconds: 4, smallClients: 200, smallSeconds: 120, querySeconds: 20 },
};

/** Clients and parts of a batch where throughput is measured. */
const clients = 8;
const batch = 1_000;

const kinds = ['whole', 'direct_whole', 'upsert', 'direct_upsert'] as const;

/** What was measured; rates are medians of the rounds. */
export interface IngestReport {
  readonly whole_calls_parts_per_s: number;
  /** The service's rate as a part of that of direct inserts, of the same round. */
  readonly whole_calls_to_direct: number;
  readonly upsert_parts_per_s: number;
  readonly upsert_to_direct: number;
  /** Processor time of ClickHouse and of the service a part, in microseconds; Linux only. */
  readonly processor_us_per_part: Readonly<
    Record<(typeof kinds)[number], { readonly clickhouse: number; readonly service: number }>
  >;
  readonly small_requests: {
    readonly seconds: number;
    readonly clients: number;
    readonly requests: number;
    readonly refused: number;
    readonly p50_ms_first_quarter: number;
    readonly p50_ms_last_quarter: number;
    readonly p95_ms: number;
    /** Parts of all tables that ClickHouse had at one time. */
    readonly active_parts_max: number;
    /** Acknowledged parts of the whole measurement that are not stored exactly once. */
    readonly lost: number;
  };
  readonly queries_while_ingesting: {
    readonly quiet_p95_ms: number;
    readonly p95_ms: number;
    readonly ratio: number;
    readonly parts_per_s: number;
  };
}

interface Bench {
  readonly server: EmbeddedServer;
  readonly service: ServiceProcess;
  readonly client: ClickHouseClient;
  /** Runs one order in the process that generates load. */
  readonly send: (order: Partial<Order> & Pick<Order, 'kind'>) => Promise<Sent>;
  /** Batches of each project that were acknowledged. */
  readonly acknowledged: Acknowledged[];
}

/** Measures with a service in its own process, on an engine of its own, with load from a third. */
export async function measureIngest(options: IngestOptions): Promise<IngestReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-ingest-'));
  const server = await startServer(dataDir);
  const service = await startServiceProcess(server, dataDir, { LOG_LEVEL: 'info' });
  const client = openBenchClient(server.address);
  const generator = fork(new URL('ingest-client.ts', import.meta.url), {
    execArgv: ['--import', 'tsx'],
  });
  try {
    const acknowledged: Bench['acknowledged'] = [];
    let orders = 0;
    const send: Bench['send'] = async (wanted) => {
      const order: Order = {
        ...{ url: service.url, address: server.address, project: `ingest/${orders++}` },
        ...{ seconds: 1, clients, batch, everyMs: 0, ...wanted },
      };
      generator.send(order);
      const [sent] = (await once(generator, 'message')) as [Sent];
      for (const name of sent.acknowledged) {
        acknowledged.push({ batch: name, project: order.project, parts: order.batch });
      }
      return sent;
    };
    return await measureAll({ server, service, client, send, acknowledged }, options);
  } finally {
    generator.kill();
    await service.stop();
    await client.close();
    await server.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function measureAll(bench: Bench, options: IngestOptions): Promise<IngestReport> {
  const throughput = await measureThroughput(bench, options);
  const small = await measureSmall(bench, options);
  const queries = await measureQueries(bench, options, throughput.whole_calls_parts_per_s / 2);
  const lost = await countLost(bench.client, bench.acknowledged);
  return {
    ...throughput,
    small_requests: { ...small, lost },
    queries_while_ingesting: queries,
  };
}

type Throughput = Pick<
  IngestReport,
  | 'whole_calls_parts_per_s'
  | 'whole_calls_to_direct'
  | 'upsert_parts_per_s'
  | 'upsert_to_direct'
  | 'processor_us_per_part'
>;

async function measureThroughput(bench: Bench, options: IngestOptions): Promise<Throughput> {
  const rates = { whole: [], direct_whole: [], upsert: [], direct_upsert: [] } as Rounds;
  const clickHouse = structuredClone(rates);
  const service = structuredClone(rates);
  for (const kind of kinds) await bench.send({ kind, seconds: 0.5 });
  for (let round = 0; round < options.rounds; round += 1) {
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      const before = await readProcessorTime(bench);
      const sent = await bench.send({ kind, seconds: options.roundSeconds });
      if (sent.issue !== undefined) throw new Error(`${kind}: ${sent.issue}`);
      const after = await readProcessorTime(bench);
      rates[kind].push(sent.parts / sent.seconds);
      clickHouse[kind].push((1e6 * (after.clickHouse - before.clickHouse)) / sent.parts);
      service[kind].push((1e6 * (after.service - before.service)) / sent.parts);
    }
  }
  const ratio = (ours: Kind, direct: Kind): number =>
    median(rates[ours].map((rate, round) => rate / (rates[direct][round] ?? NaN)));
  const processor = kinds.map((kind) => [
    kind,
    {
      clickhouse: Math.round(median(clickHouse[kind])),
      service: Math.round(median(service[kind])),
    },
  ]);
  return {
    whole_calls_parts_per_s: Math.round(median(rates.whole)),
    whole_calls_to_direct: rounded(ratio('whole', 'direct_whole')),
    upsert_parts_per_s: Math.round(median(rates.upsert)),
    upsert_to_direct: rounded(ratio('upsert', 'direct_upsert')),
    processor_us_per_part: Object.fromEntries(processor) as IngestReport['processor_us_per_part'],
  };
}

type Kind = (typeof kinds)[number];
type Rounds = Record<Kind, number[]>;

async function measureSmall(
  bench: Bench,
  { smallClients, smallSeconds }: IngestOptions,
): Promise<Omit<IngestReport['small_requests'], 'lost'>> {
  let isOver = false;
  const watching = watchActiveParts(bench.client, () => isOver);
  const sent = await bench.send({
    ...{ kind: 'upsert', seconds: smallSeconds, clients: smallClients, batch: 5, everyMs: 200 },
  });
  isOver = true;
  const times = (from: number, to: number): number[] =>
    sent.requests
      .filter(({ at }) => at >= from * smallSeconds * 1_000 && at < to * smallSeconds * 1_000)
      .map(({ ms }) => ms);
  return {
    seconds: smallSeconds,
    clients: smallClients,
    requests: sent.requests.length,
    refused: sent.requests.filter(({ ok }) => !ok).length,
    p50_ms_first_quarter: rounded(median(times(0, 0.25))),
    p50_ms_last_quarter: rounded(median(times(0.75, 1))),
    p95_ms: rounded(quantile(times(0, 1), 0.95)),
    active_parts_max: await watching,
  };
}

async function watchActiveParts(client: ClickHouseClient, isOver: () => boolean): Promise<number> {
  let most = 0;
  while (!isOver()) {
    const [row] = await readRows<{ parts: string }>(
      client,
      'SELECT count() AS parts FROM system.parts WHERE active AND database = currentDatabase()',
    );
    most = Math.max(most, Number(row?.parts));
    await sleep(250);
  }
  return most;
}

async function measureQueries(
  bench: Bench,
  { querySeconds }: IngestOptions,
  partsPerSecond: number,
): Promise<IngestReport['queries_while_ingesting']> {
  // A page of 50 traces of 20 calls each.
  const pages = await bench.send({ kind: 'whole', project: 'ingest/pages', seconds: 0.5 });
  const name = pages.acknowledged[0] ?? '';
  const roots = Array.from({ length: batch / 20 }, (_, i) => `${name}-${i * 20}-019a5d2e-7cc0`);
  await askFor(bench, roots, 1);
  const quiet = await askFor(bench, roots, querySeconds);
  const everyMs = (1_000 * clients * batch) / partsPerSecond;
  const ingesting = bench.send({ kind: 'whole', seconds: querySeconds + 1, everyMs });
  await sleep(500);
  const busy = await askFor(bench, roots, querySeconds);
  const sent = await ingesting;
  const [quiet_p95_ms, p95_ms] = [quantile(quiet, 0.95), quantile(busy, 0.95)];
  return {
    quiet_p95_ms: rounded(quiet_p95_ms),
    p95_ms: rounded(p95_ms),
    ratio: rounded(p95_ms / quiet_p95_ms),
    parts_per_s: Math.round(sent.parts / sent.seconds),
  };
}

/** Asks one page again and again, with pauses as a person makes them; milliseconds of each. */
async function askFor(bench: Bench, roots: readonly string[], seconds: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + seconds * 1_000;
  while (performance.now() < until) {
    const startedAt = performance.now();
    const answer = await askUsage(bench.service.url, 'ingest/pages', roots);
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
    times.push(performance.now() - startedAt);
    await sleep(50);
  }
  return times;
}

async function readProcessorTime({ server, service }: Bench) {
  return {
    clickHouse: await readSeconds(server.processId),
    service: await readSeconds(service.process.pid ?? 0),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const options = process.argv.includes('--quick') ? quickIngest : fullIngest;
  console.log(JSON.stringify(await measureIngest(options), undefined, 2));
}
