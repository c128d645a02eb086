import type { ClickHouseClient } from '@clickhouse/client';

import { type Address, openClient } from '../../src/clickhouse/client/open-client.ts';

/** Opens the client that the service has, for every statement that the bench sends itself. */
export function openBenchClient(address: Address, pool = 4): ClickHouseClient {
  const limits = { maxOpenConnections: pool, timeoutMs: 600_000, compression: false };
  return openClient({ ...address, database: 'calls_usage' }, limits);
}

/** Reads the rows of a statement; 64-bit integers are text. */
export async function readRows<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Readonly<Record<string, unknown>> = {},
): Promise<Row[]> {
  const result = await client.query({ query, query_params, format: 'JSONEachRow' });
  return await result.json<Row>();
}
