import type { ClickHouseClient } from '@clickhouse/client';

import { mapError } from '../client/map-error.ts';
import { openClient, type DatabaseAddress } from '../client/open-client.ts';
import type { Query } from '../client/statements/queries.ts';
import { withServerLock } from '../client/server-lock.ts';

/** An `ALTER` that rewrites rows, and the query that counts the rows to rewrite as `parts`. */
export interface Rewrite<Statement> {
  readonly count: Statement;
  readonly alter: Statement;
}

/** Where the rows are. */
export interface RowStorage {
  /** The servers that store rows, each with the database of its own tables. */
  readonly servers: readonly DatabaseAddress[];
  /** The database whose tables have the rows of all servers. */
  readonly database: string;
}

/** ClickHouse goes on with a rewrite that takes longer. */
const limits = { maxOpenConnections: 2, timeoutMs: 3_600_000, compression: false };

const alterSettings = {
  // Returns when the rows are rewritten, on the replicas of a table too.
  mutations_sync: '2',
  // Replicas may disagree for a moment on what a subquery returns; what one of them misses is counted the next time.
  allow_nondeterministic_mutations: 1,
} as const;

/**
 * Runs `alter` on every server on which `count` counts rows, unless another service does it now.
 * @param signal aborts it; ClickHouse finishes what it has begun
 * @returns how many rows were counted; undefined if another service does it
 * @throws as `ClickHouse.read`
 */
export async function rewriteRows(
  { servers, database }: RowStorage,
  { count, alter }: Rewrite<Query>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const clients = servers.map((address) => openClient(address, limits));
  const [lockClient] = clients;
  if (lockClient === undefined) return 0;
  const closeClients = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()));
  };
  const onAbort = (): void => void closeClients();
  signal.addEventListener('abort', onAbort);
  let rows = 0;
  try {
    signal.throwIfAborted();
    const statements = { count: bind(count, database), alter: bind(alter, database) };
    const lock = `${alter.name}-${database}`;
    const hadLock = await withServerLock(lockClient, lock, async (checkLock) => {
      for (const client of clients) {
        checkLock();
        rows += await rewriteOnServer(client, statements);
      }
    });
    return hadLock ? rows : undefined;
  } catch (error) {
    throw mapError(error, alter.name);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await closeClients();
  }
}

interface Statement {
  readonly query: string;
  readonly query_params: Record<string, unknown>;
}

function bind({ text, parameters }: Query, database: string): Statement {
  return { query: text, query_params: parameters.has('database') ? { database } : {} };
}

async function rewriteOnServer(
  client: ClickHouseClient,
  { count, alter }: Rewrite<Statement>,
): Promise<number> {
  const result = await client.query({ ...count, format: 'JSONEachRow' });
  const [row] = await result.json<{ parts: string }>();
  const rows = Number(row?.parts);
  if (rows > 0) await client.command({ ...alter, clickhouse_settings: alterSettings });
  return rows;
}
