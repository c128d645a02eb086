import { Connection } from '../client/connection.ts';
import type { Damage } from '../clickhouse.ts';
import { DamageWatch } from '../damage/damage-watch.ts';
import { mapError } from '../client/map-error.ts';
import type { DatabaseAddress } from '../client/open-client.ts';
import type { Query } from '../client/statements/queries.ts';
import type { Limits } from '../client/request-settings.ts';
import { prepareDatabase, type PrepareOptions } from './prepare-database.ts';
import { rewriteRows, type Rewrite } from './rewrite-rows.ts';

export interface SessionOptions extends PrepareOptions {
  readonly limits: Limits;
  /** Time between two searches for damaged parts. */
  readonly damageCheckIntervalMs: number;
  /** Called after each of these searches. */
  readonly onDamage: (damage: Damage) => void;
}

/** The use of one ClickHouse from its preparation until it ends. */
export interface Session {
  /** ClickHouse's version. */
  readonly version: string;
  readonly connection: Connection;
  readonly damageWatch: DamageWatch;
  /** Resolves with the reason when the session is of no more use. */
  readonly ended: Promise<string>;
  /** The databases in which servers store rows, each with a connection of its own. */
  readonly stores: readonly Store[];
  /** As `ClickHouse.rewrite`. */
  rewrite(statements: Rewrite<Query>): Promise<number | undefined>;
  close(): Promise<void>;
}

/** A database in which a server stores rows itself. */
export interface Store {
  readonly address: DatabaseAddress;
  readonly connection: Connection;
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
  const rewrite: Session['rewrite'] = (statements) => rewriteRows(storage, statements, signal);
  const stores = [{ address, connection }];
  return await watchDamage(options, { version, connection, stores, rewrite }, signal);
}

/**
 * Completes a session: searches the databases of all nodes for damage, once before it is used and then at intervals.
 * @throws as `DamageWatch.start`; the connections are then closed.
 */
export async function watchDamage(
  { damageCheckIntervalMs: intervalMs, fillChunkRows: chunkRows, onDamage, log }: SessionOptions,
  prepared: Pick<Session, 'version' | 'connection' | 'stores' | 'rewrite'>,
  signal: AbortSignal,
): Promise<Session> {
  const { connection, stores } = prepared;
  const nodes = stores.map(({ address }) => address);
  const damageWatch = new DamageWatch(nodes, { intervalMs, chunkRows, onDamage, log });
  const close = async (): Promise<void> => {
    const connections = new Set([connection, ...stores.map((store) => store.connection)]);
    await Promise.all([damageWatch, ...connections].map((each) => each.close()));
  };
  const onAbort = (): void => void close();
  signal.addEventListener('abort', onAbort);
  try {
    await damageWatch.start();
    return { ...prepared, damageWatch, ended: connection.ended, close };
  } catch (error) {
    await close();
    throw mapError(error, 'the search for damaged parts');
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
