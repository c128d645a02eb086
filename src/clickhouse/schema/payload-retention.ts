import type { ClickHouseClient } from '@clickhouse/client';

import type { Log } from '../clickhouse.ts';

/** The columns of `call_parts` with texts that no answer needs. */
const payloadColumns = ['inputs_dump', 'output_dump', 'exception', 'otel_dump'];

/**
 * Lets ClickHouse remove payloads some days after their insertion, unless it already does; the rows stay. A change
 * applies to stored payloads too: ClickHouse rewrites the table in the background.
 * @param days 0 changes nothing: payloads that were stored for a number of days are still removed after it
 */
export async function applyPayloadRetention(
  client: ClickHouseClient,
  days: number,
  log: Log,
): Promise<void> {
  if (days === 0) return;
  // ClickHouse stores it in the same words, with which it is compared at the next start.
  const ttl = `TTL toDateTime(inserted_at) + toIntervalDay(${String(days)})`;
  if ((await readDefinition(client)).split(ttl).length - 1 === payloadColumns.length) return;
  const changes = payloadColumns.map((column) => `MODIFY COLUMN ${column} ${ttl}`);
  await client.command({ query: `ALTER TABLE call_parts ${changes.join(', ')}` });
  log.info({ days }, 'payload retention changed');
}

async function readDefinition(client: ClickHouseClient): Promise<string> {
  const result = await client.query({
    query: `SELECT create_table_query AS definition FROM system.tables
      WHERE database = currentDatabase() AND name = 'call_parts'`,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ definition: string }>();
  return row?.definition ?? '';
}
