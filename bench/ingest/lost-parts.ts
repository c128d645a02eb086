import type { ClickHouseClient } from '@clickhouse/client';

import { readRows } from '../support/bench-client.ts';

/** A batch to which the service or ClickHouse answered with success. */
export interface AcknowledgedBatch {
  readonly batch: string;
  readonly project: string;
  readonly parts: number;
}

/** Counts acknowledged parts that are not stored exactly once. */
export async function countLostParts(
  client: ClickHouseClient,
  acknowledged: readonly AcknowledgedBatch[],
): Promise<number> {
  // Ends have no thread id, so the name of the batch is taken from the id.
  const rows = await readRows<{ project: string; batch: string; parts: string }>(
    client,
    `SELECT project_id AS project, arrayStringConcat(arraySlice(splitByChar('-', id), 1, 3), '-') AS batch,
       count() AS parts FROM call_parts FINAL WHERE startsWith(project_id, 'ingest/') GROUP BY ALL`,
  );
  const stored = new Map(rows.map((row) => [`${row.project} ${row.batch}`, Number(row.parts)]));
  const lost = acknowledged.map(({ project, batch, parts }) =>
    Math.abs(parts - (stored.get(`${project} ${batch}`) ?? 0)),
  );
  return lost.reduce((sum, parts) => sum + parts, 0);
}
