import { readFile } from 'node:fs/promises';

import type { ClickHouseClient } from '@clickhouse/client';

/** A batch that was answered with success. */
export interface Acknowledged {
  readonly batch: string;
  readonly project: string;
  readonly parts: number;
}

/** Acknowledged parts that are not there exactly once. */
export async function countLost(
  client: ClickHouseClient,
  acknowledged: readonly Acknowledged[],
): Promise<number> {
  // Ends carry no thread of theirs, so a batch is found in the ids.
  const rows = await readRows<{ project: string; batch: string; parts: string }>(
    client,
    `SELECT project_id AS project, arrayStringConcat(arraySlice(splitByChar('-', id), 1, 3), '-') AS batch,
       count() AS parts FROM call_parts FINAL WHERE startsWith(project_id, 'ingest/') GROUP BY ALL`,
  );
  const stored = new Map(rows.map((row) => [`${row.project} ${row.batch}`, Number(row.parts)]));
  return acknowledged.reduce((lost, { project, batch: name, parts }) => {
    return lost + Math.abs(parts - (stored.get(`${project} ${name}`) ?? 0));
  }, 0);
}

export async function readRows<Row>(client: ClickHouseClient, query: string): Promise<Row[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return await result.json<Row>();
}

/** Processor time of a process, in seconds; NaN where there is no /proc. */
export async function readSeconds(processId: number): Promise<number> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export const rounded = (value: number): number => Math.round(100 * value) / 100;
