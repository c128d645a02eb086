import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import { readRows } from '../support/bench-client.ts';
import {
  fillStatement,
  largeTraceSource,
  mixedTracesSource,
  randomIdsSource,
} from './fill-statements.ts';
import { otelTracesStatement } from './otel-traces.ts';
import { largeSeries, project, type Scale } from './scale.ts';

const mixedTraces = fillStatement(mixedTracesSource);
const randomIds = fillStatement(randomIdsSource);

const tracesPerInsert = 5_000;
const callsPerInsert = 500_000;

/** The share of the traces that is inserted last, and the number of inserts; their parts are not merged. */
const recentShare = 0.02;
const recentInserts = 5;

/**
 * Fills the project through `call_parts`, as a pipeline in ClickHouse would. Older traces are merged, as in a project
 * that has existed for a while; the most recent ones are not.
 * @param merge false leaves merging to the caller
 */
export async function fillProject(
  client: ClickHouseClient,
  scale: Scale,
  merge = true,
): Promise<void> {
  const recent = Math.ceil((scale.traces * recentShare) / recentInserts) * recentInserts;
  await insertTraces(client, mixedTraces, 0, scale.traces - recent, tracesPerInsert);
  await insertTraces(client, randomIds, 0, scale.randomTraces, tracesPerInsert);
  await insertTraces(client, otelTracesStatement, 0, scale.otelTraces, tracesPerInsert);
  const { large, evaluation, firstChain } = largeSeries;
  await insertLargeTrace(client, large, 'bush', scale.largeTrace);
  await insertLargeTrace(client, evaluation, 'evaluation', scale.evaluation);
  for (const [index, size] of scale.chains.entries())
    await insertLargeTrace(client, firstChain + index, 'chain', size);
  for (const table of merge ? ['merged_calls', 'call_traces'] : []) {
    await client.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
  }
  const step = recent / recentInserts;
  await insertTraces(client, mixedTraces, scale.traces - recent, recent, step);
}

async function insertTraces(
  client: ClickHouseClient,
  statement: string,
  from: number,
  count: number,
  step: number,
): Promise<void> {
  const end = from + count;
  for (let first = from; first < end; first += step) {
    await client.command({
      query: statement,
      query_params: { project, first, count: Math.min(step, end - first) },
    });
  }
}

async function insertLargeTrace(
  client: ClickHouseClient,
  series: number,
  shape: string,
  size: number,
): Promise<void> {
  for (let first = 0; first < size; first += callsPerInsert) {
    const count = Math.min(callsPerInsert, size - first);
    await client.command({
      query: fillStatement(largeTraceSource),
      query_params: { project, series, name: `large-${series}`, shape, size, first, count },
    });
  }
}

/** Fills the project, unless `--data` names a directory that an earlier run has filled in the same way. */
export async function fillUnlessFilled(
  client: ClickHouseClient,
  dataDir: string,
  scale: Scale,
): Promise<void> {
  const marker = join(dataDir, 'bench-filled.json');
  const wanted = toProjectFingerprint(scale);
  const found = await readFile(marker, 'utf8').catch(() => undefined);
  if (found === wanted) return;
  if (found !== undefined) {
    throw new Error(`${dataDir} contains another project; remove it or name another --data`);
  }
  const startedAt = performance.now();
  await fillProject(client, scale);
  console.log(`filled in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  await writeFile(marker, wanted);
}

/** What identifies the content of the project, to recognize a directory that contains it already. */
function toProjectFingerprint(scale: Scale): string {
  const { traces, randomTraces, otelTraces, largeTrace, evaluation, chains } = scale;
  const statements = [mixedTraces, randomIds, otelTracesStatement, fillStatement(largeTraceSource)];
  const sizes = { traces, randomTraces, otelTraces, largeTrace, evaluation, chains };
  return JSON.stringify({ ...sizes, statements });
}

/** The size of the table `merged_calls` in ClickHouse. */
export interface ProjectSize {
  readonly calls: number;
  /** Active data parts of the table: one of the older traces, the others of the most recent ones. */
  readonly activeParts: number;
  readonly bytesOnDisk: number;
}

/** Waits until ClickHouse merges no parts any more, then reads the size. */
export async function waitForMerges(client: ClickHouseClient): Promise<ProjectSize> {
  const merges = `SELECT count() AS n FROM system.merges WHERE database = currentDatabase()`;
  for (let idleChecks = 0; idleChecks < 3;) {
    const [row] = await readRows<{ n: string }>(client, merges);
    idleChecks = Number(row?.n) === 0 ? idleChecks + 1 : 0;
    await sleep(300);
  }
  const [row] = await readRows<Record<'calls' | 'parts' | 'bytes', string>>(
    client,
    `SELECT sum(rows) AS calls, count() AS parts, sum(bytes_on_disk) AS bytes
     FROM system.parts WHERE active AND database = currentDatabase() AND table = 'merged_calls'`,
  );
  return {
    calls: Number(row?.calls),
    activeParts: Number(row?.parts),
    bytesOnDisk: Number(row?.bytes),
  };
}
