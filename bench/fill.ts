import type { ClickHouseClient } from '@clickhouse/client';

import { project, type Scale } from './scale.ts';
import { fillStatement, largeTraceSource, mixedTracesSource } from './statements.ts';

/** What a filled project looks like to ClickHouse. */
export interface Filling {
  readonly calls: number;
  /** Active data parts of `calls`, of which all but the first hold what came in last. */
  readonly activeParts: number;
  readonly bytesOnDisk: number;
}

const tracesPerInsert = 5_000;
const callsPerInsert = 500_000;

/** Of a hundred traces, the two that come in last stay as their inserts left them. */
const freshShare = 0.02;
const freshInserts = 5;

/**
 * Fills the project through `call_parts`, as a pipeline would that computes its parts in ClickHouse. What is
 * older is merged, as it is in a project that has been there for a while; the newest traces are not.
 * @param merge false leaves merging to the caller
 */
export async function fill(client: ClickHouseClient, scale: Scale, merge = true): Promise<void> {
  const fresh = Math.ceil((scale.traces * freshShare) / freshInserts) * freshInserts;
  await insertTraces(client, 0, scale.traces - fresh, tracesPerInsert);
  await insertLarge(client, 'large', 'bush', scale.largeTrace);
  await insertLarge(client, 'evaluation', 'evaluation', scale.evaluation);
  for (const size of scale.chains) await insertLarge(client, `chain_${size}`, 'chain', size);
  for (const table of merge ? ['calls', 'call_traces'] : []) {
    await client.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
  }
  await insertTraces(client, scale.traces - fresh, fresh, fresh / freshInserts);
}

async function insertTraces(
  client: ClickHouseClient,
  from: number,
  count: number,
  step: number,
): Promise<void> {
  const end = from + count;
  for (let first = from; first < end; first += step) {
    await client.command({
      query: fillStatement(mixedTracesSource),
      query_params: { project, first, count: Math.min(step, end - first) },
    });
  }
}

async function insertLarge(
  client: ClickHouseClient,
  name: string,
  shape: string,
  size: number,
): Promise<void> {
  for (let first = 0; first < size; first += callsPerInsert) {
    const count = Math.min(callsPerInsert, size - first);
    await client.command({
      query: fillStatement(largeTraceSource),
      query_params: { project, name, shape, size, first, count },
    });
  }
}

/** Waits until nothing is merged any more, then says what there is. */
export async function settle(client: ClickHouseClient): Promise<Filling> {
  const merging = `SELECT count() AS n FROM system.merges WHERE database = currentDatabase()`;
  for (let quiet = 0; quiet < 3;) {
    const [row] = await readRows<{ n: string }>(client, merging);
    quiet = Number(row?.n) === 0 ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const [row] = await readRows<Record<'calls' | 'parts' | 'bytes', string>>(
    client,
    `SELECT sum(rows) AS calls, count() AS parts, sum(bytes_on_disk) AS bytes
     FROM system.parts WHERE active AND database = currentDatabase() AND table = 'calls'`,
  );
  return {
    calls: Number(row?.calls),
    activeParts: Number(row?.parts),
    bytesOnDisk: Number(row?.bytes),
  };
}

async function readRows<Row>(client: ClickHouseClient, query: string): Promise<Row[]> {
  return await (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
}
