import type { ClickHouseClient } from '@clickhouse/client';

import { openClient, type Address } from '../client/connection.ts';
import type { Log } from '../clickhouse.ts';
import { ClickHouseUnavailableError, ClickHouseStartError } from '../errors.ts';
import { migrate } from './migrate.ts';
import type { Migration } from './migrations.ts';
import { checkServerVersion } from './server-version.ts';
import { toErrorCode, mapError, toErrorKind } from '../client/map-error.ts';

/** How long one statement of a migration may take. */
const statementTimeoutMs = 3_600_000;

const accessDenied = 497;

/** What answers there may be no ClickHouse, and may answer with a page of HTML. */
const longestReason = 1_000;

export interface PrepareOptions {
  readonly database: string;
  /** What follows CREATE DATABASE, such as `ENGINE = Atomic`; empty leaves it to the server. */
  readonly databaseEngine: string;
  readonly minimumVersion: string;
  readonly migrations: readonly Migration[];
  readonly log: Log;
}

/**
 * Makes a ClickHouse usable: checks its version, makes the database if it is missing, applies migrations.
 *
 * @param signal ends it early
 * @returns the server's version
 * @throws {ClickHouseStartError} what an operator has to mend.
 * @throws {ClickHouseUnavailableError} ClickHouse is away; it may be tried again.
 */
export async function prepareServer(
  address: Address,
  options: PrepareOptions,
  signal: AbortSignal,
): Promise<string> {
  const limits = { pool: 4, timeoutMs: statementTimeoutMs, compression: false };
  const server = openClient(address, limits);
  const database = openClient({ ...address, database: options.database }, limits);
  const closeAll = async (): Promise<void> => {
    await Promise.all([server.close(), database.close()]);
  };
  const stop = (): void => void closeAll();
  signal.addEventListener('abort', stop);
  try {
    const version = await readVersion(server);
    checkServerVersion(version, options.minimumVersion);
    await makeDatabase(server, options);
    await migrate(database, options.database, options.migrations, options.log);
    return version;
  } catch (error) {
    if (signal.aborted)
      throw new ClickHouseUnavailableError('The engine is closed', { cause: error });
    throw toStartError(error, address);
  } finally {
    signal.removeEventListener('abort', stop);
    await closeAll();
  }
}

async function readVersion(client: ClickHouseClient): Promise<string> {
  const result = await client.query({
    query: 'SELECT version() AS version',
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ version: string }>();
  return row?.version ?? '';
}

/** Makes the database; a user without the right to make it needs it only where it is missing. */
async function makeDatabase(client: ClickHouseClient, options: PrepareOptions): Promise<void> {
  const query_params = { database: options.database };
  const result = await client.query({
    query: 'SELECT count() > 0 AS there FROM system.databases WHERE name = {database: String}',
    query_params,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ there: number }>();
  if (row?.there === 1) return;
  try {
    await client.command({
      query: `CREATE DATABASE IF NOT EXISTS {database: Identifier} ${options.databaseEngine}`,
      query_params,
    });
  } catch (error) {
    if (toErrorCode(error) !== accessDenied) throw error;
    throw new ClickHouseStartError(
      `The database ${options.database} is missing, or hidden from this user, who may not make it. Make it, or grant the right.`,
      { cause: error },
    );
  }
}

function toStartError(error: unknown, address: Address): Error {
  switch (toErrorKind(error)) {
    case 'refused':
      return new ClickHouseStartError(
        `ClickHouse at ${address.url} refuses user ${address.username}: wrong user name or password.`,
        { cause: error },
      );
    case 'other':
      if (error instanceof ClickHouseStartError || error instanceof ClickHouseUnavailableError)
        return error;
      return new ClickHouseStartError(
        `ClickHouse at ${address.url} cannot be used: ${(error as Error).message.slice(0, longestReason)}`,
        { cause: error },
      );
    default:
      return mapError(error, 'the first look at ClickHouse');
  }
}
