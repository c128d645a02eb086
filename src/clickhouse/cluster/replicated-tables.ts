import { openClient, type Address } from '../client/connection.ts';
import type { Migration } from '../schema/migrations.ts';

/** How long one statement may take. */
const statementTimeoutMs = 60_000;

/** The same migrations with tables that a Keeper replicates, for nodes with the macros `shard` and `replica`. */
export function toReplicated(migrations: readonly Migration[]): Migration[] {
  return migrations.map((migration) => ({
    ...migration,
    statements: migration.statements.map(toReplicatedStatement),
  }));
}

const mergeTree = /\bENGINE = (\w*MergeTree)\b(?:\(([^)]*)\))?/g;

function toReplicatedStatement(statement: string): string {
  const place = `'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'`;
  return statement.replace(mergeTree, (_, clickhouse: string, values = '') =>
    [
      `ENGINE = Replicated${clickhouse}(${place}`,
      values === '' ? ')' : `, ${String(values)})`,
    ].join(''),
  );
}

/** Whether a node names its shard and replica, as the nodes of a cluster with a Keeper do. */
export async function hasMacros(address: Address): Promise<boolean> {
  const client = openClient(address, {
    ...{ pool: 1, timeoutMs: statementTimeoutMs, compression: false },
  });
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
