import { createClient } from '@clickhouse/client';

import { type EmbeddedPair, startEmbeddedPair } from './embedded-pair.ts';
import { queryRows } from './clickhouse.ts';

/** A cluster of two embedded servers, with what tests do past the service. */
export interface TestCluster extends EmbeddedPair {
  /** Runs a SELECT of the test's own on one node, in the database of the service; 64-bit integers arrive as text. */
  query<Row>(node: number, sql: string): Promise<Row[]>;
  /** Inserts as a pipeline would that has no service, through the first node. */
  insert(table: string, rows: readonly object[]): Promise<void>;
}

/** Starts both servers; stop them in `afterAll`. */
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
