import type { Readable } from 'node:stream';

import type { ClickHouseClient } from '@clickhouse/client';

import { ClickHouseUnavailableError } from '../errors.ts';
import { toErrorCode } from '../client/map-error.ts';

const idTaken = 216; // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING

/**
 * Runs `action`, unless another service runs one under the same name on this ClickHouse server.
 *
 * The lock is a query that only sleeps, with `name` as its query id, of which a server runs one at a time. It
 * needs no table, no clock and no clean-up: ClickHouse ends it when the connection of its holder ends, so a
 * service that dies lets go at once. On a cluster it holds for the one node that is spoken to.
 *
 * @param action gets a function that throws {ClickHouseUnavailableError} when the lock has been lost.
 * @returns whether it was run
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

/** Takes the lock; undefined where somebody else has it. */
async function tryLock(client: ClickHouseClient, name: string): Promise<Lock | undefined> {
  const rows = await startSleepingQuery(client, name).catch((error: unknown) => {
    if (toErrorCode(error) === idTaken) return undefined;
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

/** Resolves when the query runs: this format says so with its first row, a tenth of a second in. */
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
