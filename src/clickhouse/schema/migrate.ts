import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import type { Log } from '../clickhouse.ts';
import { baseTables, findDamagedParts } from '../damage/damaged-parts.ts';
import { ClickHouseStartError, DamagedDataError } from '../errors.ts';
import type { Migration } from './migrations.ts';
import { toErrorKind, type ErrorKind } from '../client/map-error.ts';
import { withServerLock } from '../client/server-lock.ts';

/** A row of `schema_migrations`. */
interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
}

/** Pause between two attempts to take the lock while another service applies migrations. */
const lockPauseMs = 100;

/** One row per migration; a migration may be recorded twice, since its statements may run twice. */
const createMigrationsTable = `
  CREATE TABLE IF NOT EXISTS schema_migrations
  (
      name String,
      checksum String,
      applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
  )
  ENGINE = MergeTree
  ORDER BY name`;

/**
 * Applies the pending migrations in order, one service at a time. A migration is recorded after its last statement;
 * one that fails, or whose service dies, is run again from its first statement at the next start. Its statements are
 * therefore idempotent (sql/README.md).
 *
 * @param client of the database itself
 * @returns whether the database is new: none had been applied
 * @throws {ClickHouseStartError} a migration fails, an applied one was changed, or the database has one that this
 *   version does not know.
 */
export async function migrate(
  client: ClickHouseClient,
  database: string,
  migrations: readonly Migration[],
  log: Log,
): Promise<boolean> {
  await client.command({ query: createMigrationsTable });
  const isNew = (await readApplied(client)).length === 0;
  const readPending = async (): Promise<readonly Migration[]> =>
    toPending(migrations, await readApplied(client));
  while ((await readPending()).length > 0) {
    await refuseDamaged(client, database);
    const hadLock = await withServerLock(client, `migrate-${database}`, async (checkLock) => {
      for (const migration of await readPending()) {
        await apply(client, migration, checkLock);
        log.info({ migration: migration.name, database }, 'migration applied');
      }
    });
    if (!hadLock) await sleep(lockPauseMs);
  }
  return isNew;
}

/**
 * Nothing is applied while base tables have damaged parts: tables are filled from `call_parts`, and which migrations are
 * applied is itself stored in a table.
 * @throws {DamagedDataError} naming the parts
 */
export async function refuseDamaged(client: ClickHouseClient, database: string): Promise<void> {
  const parts = await findDamagedParts(client, database, baseTables);
  const lost = parts.filter(({ isCovered }) => !isCovered);
  if (lost.length === 0) return;
  const names = lost.map(({ table, name }) => `${table}/${name}`).join(', ');
  throw new DamagedDataError(
    'damaged',
    `No migration is applied while parts of ${database} are damaged: ${names}. See Damage in docs/operations.md.`,
  );
}

/**
 * The known migrations that are not applied.
 * @throws {ClickHouseStartError} the applied migrations do not match the known ones.
 */
function toPending(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum } of applied) {
    const migration = known.get(name);
    if (migration === undefined) {
      throw new ClickHouseStartError(
        `The database has migration ${name}, which this version does not know (its last is ${migrations.at(-1)?.name ?? 'none'}). Start the version that applied it, or a newer one.`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new ClickHouseStartError(
        `Migration ${name} was changed after it was applied: its file has checksum ${migration.checksum}, the database ${checksum}. Restore the file and put the change into a new migration.`,
      );
    }
  }
  const names = new Set(applied.map(({ name }) => name));
  const pending = migrations.filter(({ name }) => !names.has(name));
  const next = migrations[names.size]?.name;
  if (pending[0]?.name === next) return pending;
  throw new ClickHouseStartError(
    `Migration ${pending[0]?.name ?? ''} is not applied, but later ones are. Give it a number after theirs.`,
  );
}

async function readApplied(client: ClickHouseClient): Promise<AppliedMigration[]> {
  const result = await client.query({
    query: 'SELECT DISTINCT name, checksum FROM schema_migrations ORDER BY name',
    format: 'JSONEachRow',
  });
  return await result.json<AppliedMigration>();
}

/** After these errors the migration is tried again. */
const unavailableKinds: ReadonlySet<ErrorKind> = new Set(['unavailable', 'unreachable']);

async function apply(
  client: ClickHouseClient,
  migration: Migration,
  checkLock: () => void,
): Promise<void> {
  for (const [index, query] of migration.statements.entries()) {
    checkLock();
    try {
      await client.command({ query, clickhouse_settings: { wait_end_of_query: 1 } });
    } catch (error) {
      if (unavailableKinds.has(toErrorKind(error))) throw error;
      throw new ClickHouseStartError(
        `Migration ${migration.name}, statement ${String(index + 1)} failed: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
  checkLock();
  await client.insert({
    table: 'schema_migrations',
    values: [{ name: migration.name, checksum: migration.checksum }],
    format: 'JSONEachRow',
  });
}
