import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import type { Log } from '../clickhouse.ts';
import { ClickHouseStartError } from '../errors.ts';
import type { Migration } from './migrations.ts';
import { toErrorKind } from '../client/map-error.ts';
import { withServerLock } from './server-lock.ts';

/** What the database says has been applied to it. */
interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
}

/** How long a service waits while another one applies migrations, before it looks again. */
const pauseMs = 100;

/** One row a migration; a migration may stand here twice, since its statements may be run twice. */
const createRecords = `
  CREATE TABLE IF NOT EXISTS schema_migrations
  (
      name String,
      checksum String,
      applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
  )
  ENGINE = MergeTree
  ORDER BY name`;

/**
 * Applies the migrations that the database does not have yet, in order, one service at a time. A migration
 * is recorded when all its statements have run; one that fails, or whose service dies, is run again from its
 * first statement at the next start, which is why statements are written to do no harm twice (sql/README.md).
 *
 * @param client speaks to the database itself
 * @throws {ClickHouseStartError} a migration fails, an applied one has been changed, or the database has one that
 *   this version does not know.
 */
export async function migrate(
  client: ClickHouseClient,
  database: string,
  migrations: readonly Migration[],
  log: Log,
): Promise<void> {
  await client.command({ query: createRecords });
  const readMissing = async (): Promise<readonly Migration[]> =>
    toMissing(migrations, await readApplied(client));
  while ((await readMissing()).length > 0) {
    const isDone = await withServerLock(client, `migrate-${database}`, async (checkLock) => {
      for (const migration of await readMissing()) {
        await apply(client, migration, checkLock);
        log.info({ migration: migration.name, database }, 'migration applied');
      }
    });
    if (!isDone) await sleep(pauseMs);
  }
}

/**
 * The migrations still to be applied.
 * @throws {ClickHouseStartError} what is applied does not fit what is known.
 */
function toMissing(
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
        `Migration ${name} was changed after it had been applied: its file has checksum ${migration.checksum}, the database ${checksum}. Restore the file and put the change into a new migration.`,
      );
    }
  }
  const names = new Set(applied.map(({ name }) => name));
  const missing = migrations.filter(({ name }) => !names.has(name));
  const first = migrations[names.size]?.name;
  if (missing[0]?.name === first) return missing;
  throw new ClickHouseStartError(
    `Migration ${missing[0]?.name ?? ''} is not applied, but later ones are. Give it a number after theirs.`,
  );
}

async function readApplied(client: ClickHouseClient): Promise<AppliedMigration[]> {
  const result = await client.query({
    query: 'SELECT DISTINCT name, checksum FROM schema_migrations ORDER BY name',
    format: 'JSONEachRow',
  });
  return await result.json<AppliedMigration>();
}

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
      if (toErrorKind(error) === 'away') throw error;
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
