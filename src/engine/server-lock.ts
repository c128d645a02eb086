import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import { EngineAwayError } from './engine.ts';
import { toClickHouseCode } from './to-engine-error.ts';

const idTaken = 216; // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING

/** How often a service that waits for the lock, or for its own to be granted, looks again. */
const pauseMs = 50;

const isMine = "query_id = {name: String} AND Settings['log_comment'] = {holder: String}";

/**
 * Runs `action` while no other service runs one under the same name on this ClickHouse server.
 *
 * The lock is a query that only sleeps, with `name` as its query id, of which a server runs one at a time. It
 * needs no table, no clock and no clean-up: ClickHouse ends it when the connection of its holder ends, so a
 * service that dies lets go at once. On a cluster it holds for the one node that is spoken to.
 *
 * @param action gets a function that throws {EngineAwayError} when the lock has been lost.
 */
export async function withServerLock(
  client: ClickHouseClient,
  name: string,
  action: (checkLock: () => void) => Promise<void>,
): Promise<void> {
  const lock = await takeLock(client, name);
  try {
    await action(lock.check);
  } finally {
    await lock.release();
  }
}

interface Lock {
  readonly check: () => void;
  readonly release: () => Promise<void>;
}

async function takeLock(client: ClickHouseClient, name: string): Promise<Lock> {
  for (;;) {
    const lock = await tryLock(client, name);
    if (lock !== undefined) return lock;
    await sleep(pauseMs);
  }
}

/** Starts the sleeping query and waits until it either runs or is refused because another one does. */
async function tryLock(client: ClickHouseClient, name: string): Promise<Lock | undefined> {
  const holder = randomUUID();
  const stop = new AbortController();
  let ended: { error: unknown } | undefined;
  const query = runSleepingQuery(client, name, holder, stop.signal).then(
    () => (ended = { error: new Error('it came to its end') }),
    (error: unknown) => (ended = { error }),
  );
  while (ended === undefined && !(await holds(client, name, holder))) await sleep(pauseMs);
  if (ended !== undefined) {
    if (toClickHouseCode(ended.error) === idTaken) return undefined;
    throw ended.error;
  }
  return {
    check: () => {
      if (ended === undefined) return;
      throw new EngineAwayError(`The lock ${name} was lost`, { cause: ended.error });
    },
    release: async () => {
      stop.abort();
      await query;
      await client.command({
        query: `KILL QUERY WHERE ${isMine} SYNC`,
        query_params: { name, holder },
      });
    },
  };
}

async function runSleepingQuery(
  client: ClickHouseClient,
  name: string,
  holder: string,
  signal: AbortSignal,
): Promise<void> {
  await client.command({
    query: 'SELECT sleepEachRow(0.1) FROM system.numbers FORMAT Null',
    query_id: name,
    abort_signal: signal,
    clickhouse_settings: {
      readonly: '2',
      cancel_http_readonly_queries_on_client_close: 1,
      replace_running_query: 0,
      log_comment: holder,
      max_block_size: '1',
      max_execution_time: 0,
    },
  });
}

/** Whether the query of that id is the one of this holder, whose name is its comment. */
async function holds(client: ClickHouseClient, name: string, holder: string): Promise<boolean> {
  const result = await client.query({
    query: `SELECT count() > 0 AS mine FROM system.processes WHERE ${isMine}`,
    query_params: { name, holder },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ mine: number }>();
  return row?.mine === 1;
}
