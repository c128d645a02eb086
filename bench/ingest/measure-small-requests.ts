import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import { readRows } from '../support/bench-client.ts';
import { median, quantile, round } from '../support/statistics.ts';
import type { IngestBench } from './ingest-bench.ts';

export interface SmallRequests {
  readonly seconds: number;
  readonly clients: number;
  readonly requests: number;
  readonly refused: number;
  readonly p50_ms_first_quarter: number;
  readonly p50_ms_last_quarter: number;
  readonly p95_ms: number;
  /** The largest number of active parts, of all tables together. */
  readonly active_parts_max: number;
}

/** Measures requests of many clients that send five parts each, five times per second. */
export async function measureSmallRequests(
  bench: IngestBench,
  clients: number,
  seconds: number,
): Promise<SmallRequests> {
  const controller = new AbortController();
  const maxActiveParts = watchActiveParts(bench.client, controller.signal);
  const { requests } = await bench.send({
    kind: 'upsert',
    seconds,
    clients,
    batchSize: 5,
    intervalMs: 200,
  });
  controller.abort();
  /** Times of the requests that began between two fractions of the duration. */
  const toTimes = (from: number, to: number): number[] =>
    requests
      .filter(({ at }) => at >= from * seconds * 1_000 && at < to * seconds * 1_000)
      .map(({ ms }) => ms);
  return {
    seconds,
    clients,
    requests: requests.length,
    refused: requests.filter(({ ok }) => !ok).length,
    p50_ms_first_quarter: round(median(toTimes(0, 0.25)), 2),
    p50_ms_last_quarter: round(median(toTimes(0.75, 1)), 2),
    p95_ms: round(quantile(toTimes(0, 1), 0.95), 2),
    active_parts_max: await maxActiveParts,
  };
}

/** @returns the largest number of active parts until the signal is aborted */
async function watchActiveParts(client: ClickHouseClient, signal: AbortSignal): Promise<number> {
  let max = 0;
  while (!signal.aborted) {
    const [row] = await readRows<{ parts: string }>(
      client,
      'SELECT count() AS parts FROM system.parts WHERE active AND database = currentDatabase()',
    );
    max = Math.max(max, Number(row?.parts));
    await sleep(250);
  }
  return max;
}
