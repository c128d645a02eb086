import { countLostParts } from './lost-parts.ts';
import { type IngestBench, openIngestBench } from './ingest-bench.ts';
import { measureQueries, type QueryLatency } from './measure-queries.ts';
import { measureRollups, type RollupLag } from './measure-rollups.ts';
import { measureSmallRequests, type SmallRequests } from './measure-small-requests.ts';
import { measureThroughput, type Throughput } from './measure-throughput.ts';

/** How long to measure. */
export interface IngestOptions {
  /** Rounds of the four kinds of ingestion, and the seconds that each kind has in a round. */
  readonly rounds: number;
  readonly roundSeconds: number;
  /** Clients that send five parts each, five times per second. */
  readonly smallClients: number;
  readonly smallSeconds: number;
  /** How long usage is requested, without ingestion and during ingestion at half of the highest rate. */
  readonly querySeconds: number;
  /** How long calls are sent at that rate while rollups are watched. */
  readonly rollupSeconds: number;
}

export const quickIngest: IngestOptions = {
  rounds: 2,
  roundSeconds: 1.5,
  smallClients: 100,
  smallSeconds: 5,
  querySeconds: 3,
  rollupSeconds: 15,
};

export const fullIngest: IngestOptions = {
  rounds: 5,
  roundSeconds: 4,
  smallClients: 200,
  smallSeconds: 120,
  querySeconds: 20,
  rollupSeconds: 60,
};

/** The result, as in the JSON report. */
export interface IngestReport extends Throughput {
  readonly small_requests: SmallRequests & {
    /** Acknowledged parts of the whole measurement that are not stored exactly once. */
    readonly lost: number;
  };
  readonly queries_while_ingesting: QueryLatency;
  readonly rollups: RollupLag;
}

/** Measures ingestion with ClickHouse, the service and the load in a process each. */
export async function measureIngest(options: IngestOptions): Promise<IngestReport> {
  const bench = await openIngestBench();
  try {
    return await measureAll(bench, options);
  } finally {
    await bench.close();
  }
}

async function measureAll(bench: IngestBench, options: IngestOptions): Promise<IngestReport> {
  const throughput = await measureThroughput(bench, options.rounds, options.roundSeconds);
  const small = await measureSmallRequests(bench, options.smallClients, options.smallSeconds);
  const partsPerSecond = throughput.whole_calls_parts_per_s / 2;
  const queries = await measureQueries(bench, options.querySeconds, partsPerSecond);
  const rollups = await measureRollups(bench, options.rollupSeconds, partsPerSecond);
  const lost = await countLostParts(bench.client, bench.acknowledged);
  return {
    ...throughput,
    small_requests: { ...small, lost },
    queries_while_ingesting: queries,
    rollups,
  };
}
