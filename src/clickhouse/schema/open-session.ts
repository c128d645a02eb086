import { Connection } from '../client/connection.ts';
import type { DatabaseAddress } from '../client/open-client.ts';
import type { Query } from '../client/queries.ts';
import type { Limits } from '../client/request-settings.ts';
import { prepareDatabase, type PrepareOptions } from './prepare-database.ts';
import { rewriteRows, type Rewrite } from './rewrite-rows.ts';

export interface SessionOptions extends PrepareOptions {
  readonly limits: Limits;
}

/** The use of one ClickHouse from its preparation until it ends. */
export interface Session {
  /** ClickHouse's version. */
  readonly version: string;
  readonly connection: Connection;
  /** Resolves with the reason when the session is of no more use. */
  readonly ended: Promise<string>;
  /** As `ClickHouse.rewrite`. */
  rewrite(statements: Rewrite<Query>): Promise<number | undefined>;
  close(): Promise<void>;
}

/**
 * Opens a session; called again each time that the session has ended.
 * @throws {ClickHouseStartError} what a retry cannot solve; anything else may be tried again.
 */
export type SessionOpener = (signal: AbortSignal) => Promise<Session>;

/**
 * Prepares the database of one server and connects to it. The session ends when the database is missing: somebody has
 * dropped it, or the server was replaced by an empty one. A server that is unavailable for a while does not end it.
 *
 * @param signal aborts the preparation, and later what rewrites rows
 * @throws as {@link prepareDatabase}
 */
export async function openSession(
  address: DatabaseAddress,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Session> {
  const version = await prepareDatabase(address, options, signal);
  const connection = new Connection(address, {
    limits: options.limits,
    probe: 'SELECT 1',
    endsOn: 'databaseMissing',
    log: options.log,
  });
  const storage = { servers: [address], database: address.database } as const;
  return {
    version,
    connection,
    ended: connection.ended,
    rewrite: (statements) => rewriteRows(storage, statements, signal),
    close: () => connection.close(),
  };
}
