import { openClient, type DatabaseAddress } from '../client/open-client.ts';
import type { Migration } from '../schema/migrations.ts';

/** The same migrations with tables that a Keeper replicates, for nodes with the macros `shard` and `replica`. */
export function toReplicated(migrations: readonly Migration[]): Migration[] {
  return migrations.map((migration) => ({
    ...migration,
    statements: migration.statements.map(toReplicatedStatement),
  }));
}

const mergeTree = /\bENGINE = (\w*MergeTree)\b(?:\(([^)]*)\))?/g;

function toReplicatedStatement(statement: string): string {
  const path = `'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'`;
  return statement.replace(mergeTree, (_, engine: string, parameters: string | undefined) =>
    parameters === undefined || parameters === ''
      ? `ENGINE = Replicated${engine}(${path})`
      : `ENGINE = Replicated${engine}(${path}, ${parameters})`,
  );
}

const limits = { maxOpenConnections: 1, timeoutMs: 60_000, compression: false };

/** Whether a node names its shard and replica, as the nodes of a cluster with a Keeper do. */
export async function hasMacros({ url, username, password }: DatabaseAddress): Promise<boolean> {
  const client = openClient({ url, username, password }, limits);
  try {
    const result = await client.query({
      query: "SELECT count() AS macros FROM system.macros WHERE macro IN ('shard', 'replica')",
      format: 'JSONEachRow',
    });
    const [row] = await result.json<{ macros: string }>();
    return Number(row?.macros) === 2;
  } finally {
    await client.close();
  }
}
