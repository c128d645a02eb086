import { createClient } from '@clickhouse/client';

import { queryRows } from './clickhouse.ts';
import { type EmbeddedPair, startEmbeddedPair } from './embedded-pair.ts';

/** A cluster of two embedded servers, with direct access to the database of the service. */
export interface TestCluster extends EmbeddedPair {
  /** Runs a SELECT on one node; 64-bit integers are text. */
  query<Row>(node: number, sql: string): Promise<Row[]>;
  /** Inserts through the first node, as a pipeline without the service would. */
  insert(table: string, rows: readonly object[]): Promise<void>;
}

/** Starts both servers; the caller stops them. */
export async function openTestCluster(): Promise<TestCluster> {
  const pair = await startEmbeddedPair();
  const clients = pair.addresses.map((address) =>
    createClient({
      ...address,
      database: 'calls_usage',
      clickhouse_settings: {
        distributed_foreground_insert: 1,
        output_format_json_quote_64bit_integers: 1,
      },
    }),
  );
  return {
    ...pair,
    query: (node, sql) => queryRows(clients[node]!, sql),
    insert: async (table, values) => {
      await clients[0]!.insert({ table, values, format: 'JSONEachRow' });
    },
    stop: async () => {
      await Promise.all(clients.map((client) => client.close()));
      await pair.stop();
    },
  };
}
