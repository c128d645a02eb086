import type { ClickHouseClient } from '@clickhouse/client';

import { openClient, type Address } from '../client/connection.ts';
import type { Migration } from '../schema/migrations.ts';

/** By what the rows of each table are spread over the shards: a trace lives whole on one of them. */
const shardingKeys: Readonly<Record<string, string>> = {
  call_parts: 'sipHash64(project_id, trace_id)',
  calls: 'sipHash64(project_id, trace_id)',
  call_traces: 'sipHash64(project_id, key)',
  llm_token_prices: 'sipHash64(pricing_level_id, llm_id)',
};

/** How long one statement may take. */
const statementTimeoutMs = 60_000;

export interface ClusterOptions {
  /** Its name in `remote_servers` of every node. */
  readonly cluster: string;
  /** Where the tables of all shards are seen as one, and the database of the queries. */
  readonly database: string;
}

/** The database of a node that holds its own part of the data, in which the migrations run as on a single node. */
export function localDatabase({ database }: ClusterOptions): string {
  return `${database}_local`;
}

/**
 * Lets a node see the tables of all shards as one: for each table a `Distributed` one of the same name, so that
 * queries need not know. The view that fills `call_traces` comes to write into that, since the shard of an id is
 * another one than that of its trace. Doing so again does no harm.
 *
 * Every node has to have its own tables before any of them is written to.
 */
export async function joinCluster(address: Address, options: ClusterOptions): Promise<void> {
  const client = openClient(address, {
    ...{ pool: 1, timeoutMs: statementTimeoutMs, compression: false },
  });
  try {
    await client.command({
      query: 'CREATE DATABASE IF NOT EXISTS {database: Identifier}',
      query_params: { database: options.database },
    });
    for (const [table, key] of Object.entries(shardingKeys)) {
      await makeDistributed(client, options, table, key);
    }
    await moveView(client, options);
  } finally {
    await client.close();
  }
}

async function makeDistributed(
  client: ClickHouseClient,
  options: ClusterOptions,
  table: string,
  key: string,
): Promise<void> {
  const { cluster, database } = options;
  const local = localDatabase(options);
  // Made anew, so that it has the columns of the newest migration; it holds no data. A definition takes no parameters.
  await client.command({
    query: `CREATE OR REPLACE TABLE ${quote(database)}.${table} AS ${quote(local)}.${table}
      ENGINE = Distributed(${quote(cluster)}, ${quote(local)}, ${table}, ${key})`,
  });
}

/** Replaces the view of the migrations, where it is still there, by one that writes across the shards. */
async function moveView(client: ClickHouseClient, options: ClusterOptions): Promise<void> {
  const [local, view] = [localDatabase(options), 'call_traces_from_parts'];
  const result = await client.query({
    query:
      'SELECT as_select FROM system.tables WHERE database = {local: String} AND name = {view: String}',
    query_params: { local, view },
    format: 'JSONEachRow',
  });
  const [found] = await result.json<{ as_select: string }>();
  if (found === undefined) return;
  await client.command({
    query: `CREATE MATERIALIZED VIEW IF NOT EXISTS ${quote(local)}.call_traces_across_shards
      TO ${quote(options.database)}.call_traces AS ${found.as_select}`,
  });
  await client.command({ query: `DROP VIEW IF EXISTS ${quote(local)}.${view} SYNC` });
}

function quote(name: string): string {
  return `\`${name.replace(/[`\\]/g, '\\$&')}\``;
}

/** A statement that fails unless every shard answers. */
export function probeOf({ cluster }: ClusterOptions): string {
  return `SELECT count() FROM cluster(${quote(cluster)}, system.one)`;
}

/**
 * The same migrations without prices, which would stand on every shard, where nobody who loads prices through
 * the tables of all shards could take them back. The price book brings them.
 */
export function withoutPrices(migrations: readonly Migration[]): Migration[] {
  return migrations.map((migration) => ({
    ...migration,
    statements: migration.statements.filter((one) => !/^INSERT INTO llm_token_prices\b/.test(one)),
  }));
}
