import type { Readable } from 'node:stream';

import type { ClickHouseClient } from '@clickhouse/client';

import { ClickHouseUnavailableError } from '../errors.ts';
import { toErrorCode } from './map-error.ts';

/** The code of QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING. */
const queryIdTaken = 216;

/**
 * Runs `action` unless another service holds the lock `name` on this ClickHouse server.
 *
 * The lock is a sleeping query with `name` as its query id; a server runs only one query of an id at a time. It needs no
 * table, no clock and no cleanup: ClickHouse cancels it when the connection of its owner is closed, so a service that
 * dies releases it at once. On a cluster it applies to one node.
 *
 * @param action gets a function that throws a ClickHouseUnavailableError if the lock was lost.
 * @returns whether the action was run
 */
export async function withServerLock(
  client: ClickHouseClient,
  name: string,
  action: (checkLock: () => void) => Promise<void>,
): Promise<boolean> {
  const lock = await tryLock(client, name);
  if (lock === undefined) return false;
  try {
    await action(lock.check);
    return true;
  } finally {
    lock.release();
  }
}

interface Lock {
  readonly check: () => void;
  readonly release: () => void;
}

/** Takes the lock; undefined if another service holds it. */
async function tryLock(client: ClickHouseClient, name: string): Promise<Lock | undefined> {
  const rows = await startSleepingQuery(client, name).catch((error: unknown) => {
    if (toErrorCode(error) === queryIdTaken) return undefined;
    throw error;
  });
  if (rows === undefined) return undefined;
  let isLost = false;
  rows.once('close', () => (isLost = true)).on('error', () => (isLost = true));
  rows.resume();
  return {
    check: () => {
      if (isLost) throw new ClickHouseUnavailableError(`The lock ${name} was lost`);
    },
    release: () => void rows.destroy(),
  };
}

/** Resolves when the query runs, which its format reports with the first row, after a tenth of a second. */
async function startSleepingQuery(client: ClickHouseClient, name: string): Promise<Readable> {
  const result = await client.query({
    query: 'SELECT sleepEachRow(0.1) FROM numbers(1000000000)',
    format: 'JSONEachRowWithProgress',
    query_id: name,
    clickhouse_settings: {
      readonly: '2',
      cancel_http_readonly_queries_on_client_close: 1,
      replace_running_query: 0,
      max_block_size: '1',
      max_execution_time: 0,
    },
  });
  return result.stream();
}
