import type { ClickHouseClient } from '@clickhouse/client';

import { isMappedError, mapError, toErrorCode, toErrorKind } from '../client/map-error.ts';
import { openClient, type Address, type DatabaseAddress } from '../client/open-client.ts';
import type { Log } from '../clickhouse.ts';
import { ClickHouseUnavailableError, ClickHouseStartError } from '../errors.ts';
import { fillMergedCalls } from './fill-merged-calls.ts';
import { migrate } from './migrate.ts';
import { applyPayloadRetention } from './payload-retention.ts';
import {
  migrationsFolder,
  readAfterCreation,
  readMigrations,
  type Migration,
} from './migrations.ts';

/** What this version of the service needs of a ClickHouse. */
export interface Schema {
  /** The oldest ClickHouse version that is supported. */
  readonly minimumVersion: string;
  readonly migrations: readonly Migration[];
  /** Statements that follow the migrations in a new database. */
  readonly afterCreation: readonly string[];
}

export interface PrepareOptions {
  readonly schema: Schema;
  /** The end of the CREATE DATABASE statement, such as `ENGINE = Atomic`; empty for the server's default. */
  readonly databaseEngine: string;
  /** As in {@link applyPayloadRetention}. */
  readonly payloadRetentionDays: number;
  /** Rows of `call_parts` that one statement reads when it fills a derived table. */
  readonly fillChunkRows: number;
  readonly log: Log;
}

/** The limits of the client that applies migrations; a statement of a migration may take an hour. */
const limits = { maxOpenConnections: 4, timeoutMs: 3_600_000, compression: false };

/**
 * Prepares a database for the queries: checks the server's version, creates the database if it is missing, applies
 * migrations, fills the tables that they added, and applies the payload retention.
 *
 * @returns the server's version
 * @throws {ClickHouseStartError} what an operator has to correct.
 * @throws {ClickHouseUnavailableError} ClickHouse is unavailable, or `signal` aborted.
 */
export async function prepareDatabase(
  address: DatabaseAddress,
  { schema, databaseEngine, payloadRetentionDays, fillChunkRows, log }: PrepareOptions,
  signal: AbortSignal,
): Promise<string> {
  const { database, ...serverAddress } = address;
  const server = openClient(serverAddress, limits);
  const client = openClient(address, limits);
  const closeClients = async (): Promise<void> => {
    await Promise.all([server.close(), client.close()]);
  };
  const onAbort = (): void => void closeClients();
  signal.addEventListener('abort', onAbort);
  try {
    const version = await readVersion(server);
    checkServerVersion(version, schema.minimumVersion);
    await createDatabase(server, database, databaseEngine);
    const isNew = await migrate(client, database, schema.migrations, log);
    if (isNew) for (const query of schema.afterCreation) await client.command({ query });
    await fillMergedCalls(client, database, { chunkRows: fillChunkRows, log });
    await applyPayloadRetention(client, payloadRetentionDays, log);
    return version;
  } catch (error) {
    if (signal.aborted) {
      throw new ClickHouseUnavailableError('ClickHouse is closed', { cause: error });
    }
    throw toStartError(error, address);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await closeClients();
  }
}

/** Reads what this version needs. */
export function readSchema(): Schema {
  // The oldest ClickHouse with which the statements of sql/ are tested.
  const minimumVersion = '25.8';
  const migrations = readMigrations(migrationsFolder);
  return { minimumVersion, migrations, afterCreation: readAfterCreation() };
}

async function readVersion(client: ClickHouseClient): Promise<string> {
  const result = await client.query({
    query: 'SELECT version() AS version',
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ version: string }>();
  return row?.version ?? '';
}

/**
 * Refuses a ClickHouse that is too old.
 * @throws {ClickHouseStartError} naming both versions.
 */
export function checkServerVersion(version: string, minimum: string): void {
  if (compareVersions(version, minimum) >= 0) return;
  throw new ClickHouseStartError(
    `ClickHouse is version ${version}, but version ${minimum} or newer is needed.`,
  );
}

/** Negative if `version` is older than `other`, positive if it is newer; only the numbers that both have are compared. */
export function compareVersions(version: string, other: string): number {
  const [numbers, otherNumbers] = [toNumbers(version), toNumbers(other)];
  for (let index = 0; index < Math.min(numbers.length, otherNumbers.length); index += 1) {
    const difference = (numbers[index] ?? 0) - (otherNumbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function toNumbers(version: string): number[] {
  return (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}

/** The code of ACCESS_DENIED. */
const accessDenied = 497;

/** Creates the database if it is missing, so that only then the user needs the grant for it. */
async function createDatabase(
  client: ClickHouseClient,
  database: string,
  databaseEngine: string,
): Promise<void> {
  const query_params = { database };
  const result = await client.query({
    query: 'SELECT count() > 0 AS found FROM system.databases WHERE name = {database: String}',
    query_params,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ found: number }>();
  if (row?.found === 1) return;
  try {
    await client.command({
      query: `CREATE DATABASE IF NOT EXISTS {database: Identifier} ${databaseEngine}`,
      query_params,
    });
  } catch (error) {
    if (toErrorCode(error) !== accessDenied) throw error;
    throw new ClickHouseStartError(
      `The database ${database} is missing, or this user may not see it, and the user may not create it. Create it, or grant the user CREATE DATABASE.`,
      { cause: error },
    );
  }
}

/** Maximum length of a quoted message; whatever answers at the address may answer with a page of HTML. */
const maxMessageLength = 1_000;

function toStartError(error: unknown, { url, username }: Address): Error {
  switch (toErrorKind(error)) {
    case 'loginRefused':
      return new ClickHouseStartError(
        `ClickHouse at ${url} refuses user ${username}: wrong user name or password.`,
        { cause: error },
      );
    case 'other':
      if (isMappedError(error)) return error;
      return new ClickHouseStartError(
        `ClickHouse at ${url} cannot be used: ${(error as Error).message.slice(0, maxMessageLength)}`,
        { cause: error },
      );
    default:
      return mapError(error, 'the preparation of the database');
  }
}
