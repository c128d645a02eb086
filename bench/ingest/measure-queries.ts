import { setTimeout as sleep } from 'node:timers/promises';

import { quantile, round } from '../support/statistics.ts';
import { refuseFailure, requestUsage } from '../support/usage-api.ts';
import { defaultBatchSize, defaultClients, type IngestBench } from './ingest-bench.ts';
import { callsPerTrace, toCallId } from './sample-calls.ts';

/** Latency of usage requests without and with ingestion. */
export interface QueryLatency {
  readonly quiet_p95_ms: number;
  readonly p95_ms: number;
  readonly ratio: number;
  /** Rate of ingestion meanwhile. */
  readonly parts_per_s: number;
}

const project = 'ingest/pages';

/** Requests a page of 50 traces with 20 calls each, first without ingestion, then during ingestion at this rate. */
export async function measureQueries(
  bench: IngestBench,
  seconds: number,
  partsPerSecond: number,
): Promise<QueryLatency> {
  const { acknowledged } = await bench.send({ kind: 'whole', project, seconds: 0.5 });
  const batch = acknowledged[0] ?? '';
  const roots = Array.from({ length: defaultBatchSize / callsPerTrace }, (_, index) =>
    toCallId(batch, index * callsPerTrace),
  );
  await requestRepeatedly(bench, roots, 1);
  const quietTimes = await requestRepeatedly(bench, roots, seconds);
  const intervalMs = (1_000 * defaultClients * defaultBatchSize) / partsPerSecond;
  const ingestion = bench.send({ kind: 'whole', seconds: seconds + 1, intervalMs });
  await sleep(500);
  const times = await requestRepeatedly(bench, roots, seconds);
  const result = await ingestion;
  const [quietP95Ms, p95Ms] = [quantile(quietTimes, 0.95), quantile(times, 0.95)];
  return {
    quiet_p95_ms: round(quietP95Ms, 2),
    p95_ms: round(p95Ms, 2),
    ratio: round(p95Ms / quietP95Ms, 2),
    parts_per_s: Math.round(result.parts / result.seconds),
  };
}

/** Requests a page again and again, with pauses of 50 ms; returns the time of each request, in milliseconds. */
async function requestRepeatedly(
  bench: IngestBench,
  roots: readonly string[],
  seconds: number,
): Promise<number[]> {
  const times: number[] = [];
  const endsAt = performance.now() + seconds * 1_000;
  while (performance.now() < endsAt) {
    const startedAt = performance.now();
    refuseFailure(await requestUsage(bench.service.url, project, roots));
    times.push(performance.now() - startedAt);
    await sleep(50);
  }
  return times;
}
