import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedServer } from '../../src/clickhouse/embedded/embedded-server.ts';
import { openBenchClient, readRows } from '../support/bench-client.ts';
import {
  readProcessorSeconds,
  type ServiceProcess,
  startServer,
  startServiceProcess,
} from '../support/processes.ts';
import { median, round } from '../support/statistics.ts';
import type { OtlpKind, OtlpOrder, OtlpResult } from './otlp-process.ts';
import { createRequestBody } from './sample-spans.ts';

export interface OtlpOptions {
  /** Rounds of all kinds, and the seconds that each kind has in a round. */
  readonly rounds: number;
  readonly roundSeconds: number;
}

/** Rates are medians of the rounds. */
type OtlpReport = Readonly<Record<OtlpKind, KindReport>> & {
  readonly bytes_per_span: {
    readonly protobuf: number;
    readonly json: number;
    /** Of `call_parts` alone, and of the tables that ClickHouse derives from it as well. */
    readonly on_disk_parts: number;
    readonly on_disk_all: number;
  };
};

interface KindReport {
  readonly spans_per_s: number;
  /** The rate divided by that of direct inserts in the same round. */
  readonly to_direct: number;
  /** Processor time per span, in microseconds; Linux only. */
  readonly service_us: number;
  readonly clickhouse_us: number;
}

interface Round {
  readonly spansPerSecond: number;
  readonly serviceUs: number;
  readonly clickhouseUs: number;
}

interface OtlpBench {
  readonly server: EmbeddedServer;
  readonly service: ServiceProcess;
  readonly send: (order: OtlpOrder) => Promise<OtlpResult>;
}

const kinds = [
  'protobuf',
  'protobuf_gzip',
  'json',
  'json_gzip',
  'direct',
  'direct_binary',
] as const;
const senders = 8;
const spansPerBatch = 1_000;

/** Measures all kinds in turns, with ClickHouse, the service and the senders in a process each. */
export async function measureOtlp(options: OtlpOptions): Promise<OtlpReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-otlp-'));
  const server = await startServer(dataDir);
  const service = await startServiceProcess(server, dataDir);
  const program = new URL('otlp-process.ts', import.meta.url);
  const loadProcess = fork(program, { execArgv: ['--import', 'tsx'] });
  const send = async (order: OtlpOrder): Promise<OtlpResult> => {
    loadProcess.send(order);
    const [result] = (await once(loadProcess, 'message')) as [OtlpResult];
    return result;
  };
  try {
    return await measureAll({ server, service, send }, options);
  } finally {
    loadProcess.kill();
    await service.stop();
    await server.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function measureAll(
  bench: OtlpBench,
  { rounds, roundSeconds }: OtlpOptions,
): Promise<OtlpReport> {
  for (const kind of kinds) await measureRound(bench, kind, 0.5);
  const measured = new Map<OtlpKind, Round[]>(kinds.map((kind) => [kind, []]));
  for (let index = 0; index < rounds; index += 1) {
    for (const kind of index % 2 === 0 ? kinds : kinds.toReversed()) {
      measured.get(kind)?.push(await measureRound(bench, kind, roundSeconds));
    }
  }
  const direct = measured.get('direct') ?? [];
  const reports = kinds.map((kind) => [kind, toReport(measured.get(kind) ?? [], direct)]);
  return {
    ...(Object.fromEntries(reports) as Record<OtlpKind, KindReport>),
    bytes_per_span: {
      protobuf: createRequestBody('protobuf', spansPerBatch).bytes.length / spansPerBatch,
      json: createRequestBody('json', spansPerBatch).bytes.length / spansPerBatch,
      ...(await readBytesOnDisk(bench.server)),
    },
  };
}

async function measureRound(bench: OtlpBench, kind: OtlpKind, seconds: number): Promise<Round> {
  const { server, service, send } = bench;
  const before = await readProcessorTimes(bench);
  const order = { kind, serviceUrl: service.url, address: server.address };
  const result = await send({ ...order, seconds, senders, spansPerBatch });
  if (result.failure !== undefined) throw new Error(`${kind}: ${result.failure}`);
  const after = await readProcessorTimes(bench);
  return {
    spansPerSecond: result.spans / result.seconds,
    serviceUs: (1e6 * (after.service - before.service)) / result.spans,
    clickhouseUs: (1e6 * (after.clickhouse - before.clickhouse)) / result.spans,
  };
}

async function readProcessorTimes({ server, service }: OtlpBench) {
  return {
    clickhouse: await readProcessorSeconds(server.processId),
    service: await readProcessorSeconds(service.process.pid ?? 0),
  };
}

function toReport(rounds: readonly Round[], direct: readonly Round[]): KindReport {
  const ratios = rounds.map(
    ({ spansPerSecond }, index) => spansPerSecond / (direct[index]?.spansPerSecond ?? NaN),
  );
  return {
    spans_per_s: Math.round(median(rounds.map(({ spansPerSecond }) => spansPerSecond))),
    to_direct: round(median(ratios), 2),
    service_us: Math.round(median(rounds.map(({ serviceUs }) => serviceUs))),
    clickhouse_us: Math.round(median(rounds.map(({ clickhouseUs }) => clickhouseUs))),
  };
}

/** Bytes per span when all parts are merged. */
async function readBytesOnDisk({ address }: EmbeddedServer) {
  const client = openBenchClient(address);
  try {
    const tables = ['call_parts', 'merged_calls', 'call_traces'];
    for (const table of tables) await client.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
    const rows = await readRows<{ table: string; bytes: string; rows: string }>(
      client,
      `SELECT table, sum(bytes_on_disk) AS bytes, sum(rows) AS rows FROM system.parts
      WHERE database = currentDatabase() AND active GROUP BY table`,
    );
    const parts = rows.find(({ table }) => table === 'call_parts');
    const spans = Number(parts?.rows);
    const all = rows.filter(({ table }) => tables.includes(table));
    return {
      on_disk_parts: round(Number(parts?.bytes) / spans, 1),
      on_disk_all: round(all.reduce((sum, { bytes }) => sum + Number(bytes), 0) / spans, 1),
    };
  } finally {
    await client.close();
  }
}
