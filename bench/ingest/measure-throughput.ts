import { readProcessorSeconds } from '../support/processes.ts';
import { median, round } from '../support/statistics.ts';
import type { IngestBench } from './ingest-bench.ts';
import type { IngestKind } from './ingest-process.ts';

/** Rates are medians of the rounds. */
export interface Throughput {
  readonly whole_calls_parts_per_s: number;
  /** The service's rate divided by that of direct inserts in the same round. */
  readonly whole_calls_to_direct: number;
  readonly upsert_parts_per_s: number;
  readonly upsert_to_direct: number;
  /** Processor time of ClickHouse and of the service per part, in microseconds; Linux only. */
  readonly processor_us_per_part: Readonly<
    Record<IngestKind, { readonly clickhouse: number; readonly service: number }>
  >;
}

const kinds = ['whole', 'direct_whole', 'upsert', 'direct_upsert'] as const;

/** Measures the four kinds of ingestion in turns, each with batches of 1,000 parts from 8 clients. */
export async function measureThroughput(
  bench: IngestBench,
  rounds: number,
  roundSeconds: number,
): Promise<Throughput> {
  for (const kind of kinds) await bench.send({ kind, seconds: 0.5 });
  const measured: Record<IngestKind, Round[]> = {
    whole: [],
    direct_whole: [],
    upsert: [],
    direct_upsert: [],
  };
  for (let index = 0; index < rounds; index += 1) {
    for (const kind of index % 2 === 0 ? kinds : kinds.toReversed()) {
      measured[kind].push(await measureRound(bench, kind, roundSeconds));
    }
  }
  const processorTimes = kinds.map((kind) => [kind, toProcessorTimes(measured[kind])]);
  return {
    whole_calls_parts_per_s: Math.round(median(toRates(measured.whole))),
    whole_calls_to_direct: toRateRatio(measured.whole, measured.direct_whole),
    upsert_parts_per_s: Math.round(median(toRates(measured.upsert))),
    upsert_to_direct: toRateRatio(measured.upsert, measured.direct_upsert),
    processor_us_per_part: Object.fromEntries(
      processorTimes,
    ) as Throughput['processor_us_per_part'],
  };
}

interface Round {
  readonly partsPerSecond: number;
  readonly clickhouseUsPerPart: number;
  readonly serviceUsPerPart: number;
}

async function measureRound(bench: IngestBench, kind: IngestKind, seconds: number): Promise<Round> {
  const before = await readProcessorTimes(bench);
  const result = await bench.send({ kind, seconds });
  if (result.failure !== undefined) throw new Error(`${kind}: ${result.failure}`);
  const after = await readProcessorTimes(bench);
  return {
    partsPerSecond: result.parts / result.seconds,
    clickhouseUsPerPart: (1e6 * (after.clickhouse - before.clickhouse)) / result.parts,
    serviceUsPerPart: (1e6 * (after.service - before.service)) / result.parts,
  };
}

async function readProcessorTimes({ server, service }: IngestBench) {
  return {
    clickhouse: await readProcessorSeconds(server.processId),
    service: await readProcessorSeconds(service.process.pid ?? 0),
  };
}

function toRates(rounds: readonly Round[]): number[] {
  return rounds.map(({ partsPerSecond }) => partsPerSecond);
}

function toRateRatio(ours: readonly Round[], direct: readonly Round[]): number {
  const directRates = toRates(direct);
  return round(median(toRates(ours).map((rate, index) => rate / (directRates[index] ?? NaN))), 2);
}

function toProcessorTimes(rounds: readonly Round[]) {
  return {
    clickhouse: Math.round(median(rounds.map((each) => each.clickhouseUsPerPart))),
    service: Math.round(median(rounds.map((each) => each.serviceUsPerPart))),
  };
}
