import type { ClickHouseClient } from '@clickhouse/client';

import { openClient, type DatabaseAddress } from '../client/open-client.ts';
import type { Migration } from '../schema/migrations.ts';

export interface Cluster {
  /** Its name in `remote_servers` of every node. */
  readonly name: string;
  /** The database of the queries, with tables that show the rows of all shards. */
  readonly database: string;
}

/** The sharding key of each table: all calls of a trace are on one shard. */
const shardingKeys: Readonly<Record<string, string>> = {
  call_parts: 'sipHash64(project_id, trace_id)',
  merged_calls: 'sipHash64(project_id, trace_id)',
  trace_rollups: 'sipHash64(project_id, trace_id)',
  call_traces: 'sipHash64(project_id, key)',
  llm_token_prices: 'sipHash64(pricing_level_id, llm_id)',
};

const limits = { maxOpenConnections: 1, timeoutMs: 60_000, compression: false };

/**
 * Creates the tables of a node that show the rows of all shards: for each table a `Distributed` table of the same name,
 * so that queries are the same as on one server. The view that fills `call_traces` is replaced by one that writes to the
 * `Distributed` table, because an id and its trace may belong to different shards. Idempotent.
 *
 * Every node must have its local tables before rows are written to any of them.
 */
export async function createDistributedTables(
  { url, username, password }: DatabaseAddress,
  cluster: Cluster,
): Promise<void> {
  const client = openClient({ url, username, password }, limits);
  try {
    await client.command({
      query: 'CREATE DATABASE IF NOT EXISTS {database: Identifier}',
      query_params: { database: cluster.database },
    });
    for (const [table, shardingKey] of Object.entries(shardingKeys)) {
      await createDistributedTable(client, cluster, table, shardingKey);
    }
    await replaceTracesView(client, cluster);
  } finally {
    await client.close();
  }
}

/** The database in which a node stores its own rows and in which the migrations run as on a single server. */
export function toLocalDatabase({ database }: Cluster): string {
  return `${database}_local`;
}

async function createDistributedTable(
  client: ClickHouseClient,
  cluster: Cluster,
  table: string,
  shardingKey: string,
): Promise<void> {
  const { name, database } = cluster;
  const local = toLocalDatabase(cluster);
  // Replaced at every start, so that it has the columns of the newest migration; it stores no rows. A definition of a
  // table takes no parameters.
  await client.command({
    query: `CREATE OR REPLACE TABLE ${quote(database)}.${table} AS ${quote(local)}.${table}
      ENGINE = Distributed(${quote(name)}, ${quote(local)}, ${table}, ${shardingKey})`,
  });
}

/** Replaces the view of the migrations, if it still exists, by one with the same SELECT that writes to all shards. */
async function replaceTracesView(client: ClickHouseClient, cluster: Cluster): Promise<void> {
  const [local, view] = [toLocalDatabase(cluster), 'call_traces_from_parts'];
  const result = await client.query({
    query:
      'SELECT as_select FROM system.tables WHERE database = {local: String} AND name = {view: String}',
    query_params: { local, view },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ as_select: string }>();
  if (row === undefined) return;
  await client.command({
    query: `CREATE MATERIALIZED VIEW IF NOT EXISTS ${quote(local)}.call_traces_across_shards
      TO ${quote(cluster.database)}.call_traces AS ${row.as_select}`,
  });
  await client.command({ query: `DROP VIEW IF EXISTS ${quote(local)}.${view} SYNC` });
}

function quote(name: string): string {
  return `\`${name.replace(/[`\\]/g, '\\$&')}\``;
}

/** A statement that fails unless every shard answers. */
export function toClusterProbe({ name }: Cluster): string {
  return `SELECT count() FROM cluster(${quote(name)}, system.one)`;
}

/**
 * The same migrations without prices. They would be on every shard, where a later price book, which is loaded through
 * the `Distributed` table, could not delete them. The price book contains these prices.
 */
export function withoutPrices(migrations: readonly Migration[]): Migration[] {
  return migrations.map((migration) => ({
    ...migration,
    statements: migration.statements.filter(
      (statement) => !/^INSERT INTO llm_token_prices\b/.test(statement),
    ),
  }));
}
