import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import type { Log } from '../clickhouse.ts';
import { toErrorCode } from '../client/map-error.ts';
import { withServerLock } from '../client/server-lock.ts';
import { insertInChunks, type Position } from '../damage/insert-in-chunks.ts';
import { ClickHouseStartError } from '../errors.ts';
import { refuseDamaged } from './migrate.ts';

export interface FillOptions {
  /** Rows of `call_parts` in one INSERT; more where a trace is larger. */
  readonly chunkRows: number;
  readonly log: Log;
}

/** Pause between two looks at what another service does. */
const pauseMs = 100;

/**
 * One row per chunk. Each node has a record of its own, which no Keeper replicates: a node knows only of its own view
 * that no later row lacks it.
 */
const createProgressTable = `
  CREATE TABLE IF NOT EXISTS fill_progress
  (
      filled_table String,
      project String,
      trace String,
      rows UInt64,
      is_complete UInt8,
      inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
  )
  ENGINE = MergeTree
  ORDER BY (filled_table, project, trace)`;

const selectProgress = `
  SELECT project, trace, toFloat64(rows) AS rows, is_complete FROM fill_progress
  WHERE filled_table = 'merged_calls'
  ORDER BY is_complete DESC, project DESC, trace DESC LIMIT 1`;

interface Progress extends Position {
  readonly rows: number;
  readonly is_complete: number;
}

/**
 * Fills `merged_calls` from the `call_parts` that were stored before its view existed, once per node and one service at
 * a time; returns when it is complete. Inserts go on meanwhile. What a service has done when it dies is not done again.
 *
 * A row that arrives while the fill runs may enter through both views. That changes nothing that answers read, because
 * these columns are aggregated by `max` and `min`. Only `checksum`, a sum, then counts the row twice: it equals no sum
 * over `call_parts`, but that of every table that is filled through the same views.
 *
 * @param client of the database itself, whose migrations are applied
 * @throws {ClickHouseStartError} the user may not see which inserts run
 * @throws {DamagedDataError} `call_parts` has lost rows
 * @throws what the client throws; the next start goes on after the last chunk
 */
export async function fillMergedCalls(
  client: ClickHouseClient,
  database: string,
  options: FillOptions,
): Promise<void> {
  const columns = await readColumns(client, database);
  if (columns.length === 0) return;
  await client.command({ query: createProgressTable });
  while (!isComplete(await readProgress(client))) {
    await refuseDamaged(client, database);
    const hadLock = await withServerLock(client, `fill-${database}`, (checkLock) =>
      fill(client, database, columns, { ...options, checkLock }),
    );
    if (!hadLock) await sleep(pauseMs);
  }
}

/** The columns of `call_parts_backfill`, on which a second view fills `merged_calls`. */
async function readColumns(client: ClickHouseClient, database: string): Promise<string[]> {
  const rows = await read<{ name: string }>(
    client,
    `SELECT name FROM system.columns
     WHERE database = {database: String} AND table = 'call_parts_backfill' ORDER BY position`,
    { database },
  );
  return rows.map(({ name }) => name);
}

async function readProgress(client: ClickHouseClient): Promise<Progress | undefined> {
  const [progress] = await read<Progress>(client, selectProgress);
  return progress;
}

function isComplete(progress: Progress | undefined): boolean {
  return progress?.is_complete === 1;
}

async function fill(
  client: ClickHouseClient,
  database: string,
  columns: readonly string[],
  { chunkRows, log, checkLock }: FillOptions & { readonly checkLock: () => void },
): Promise<void> {
  const table = 'merged_calls';
  const progress = await readProgress(client);
  if (isComplete(progress)) return;
  await waitForEarlierInserts(client, log);
  const names = columns.join(', ');
  const insert = `INSERT INTO call_parts_backfill (${names}) SELECT ${names} FROM call_parts`;
  let of = 0;
  await insertInChunks(client, database, insert, {
    chunkRows,
    checkLock,
    ...(progress && { start: progress }),
    onProgress: ({ rows, of: total }) => {
      of = total;
      if (total > 0) log.info({ database, table, rows, of }, 'filling a new table');
    },
    onChunk: ({ project, trace, rows }) =>
      saveProgress(client, { project, trace, rows, is_complete: 0 }),
  });
  checkLock();
  await saveProgress(client, { project: '', trace: '', rows: of, is_complete: 1 });
  if (of > 0) log.info({ database, table, rows: of, of }, 'a new table was filled');
}

async function saveProgress(client: ClickHouseClient, progress: Progress): Promise<void> {
  await client.insert({
    table: 'fill_progress',
    values: [{ filled_table: 'merged_calls', ...progress }],
    format: 'JSONEachRow',
  });
}

/** The code of ACCESS_DENIED. */
const accessDenied = 497;

/**
 * Waits for all inserts that run at the moment. One that began before the view existed does not write to it, and might
 * store its rows after the fill has passed their traces. What an insert writes to through views cannot be told from its
 * text, so inserts into any table count.
 */
async function waitForEarlierInserts(client: ClickHouseClient, log: Log): Promise<void> {
  let running = await readInserts(client);
  if (running.length > 0) {
    log.info({ inserts: running }, 'waiting for inserts that may have begun before a new view');
  }
  while (running.length > 0) {
    await sleep(pauseMs);
    const remaining = new Set(await readInserts(client));
    running = running.filter((id) => remaining.has(id));
  }
}

async function readInserts(client: ClickHouseClient): Promise<string[]> {
  try {
    const rows = await read<{ query_id: string }>(
      client,
      "SELECT query_id FROM system.processes WHERE query_kind IN ('Insert', 'AsyncInsertFlush')",
    );
    return rows.map(({ query_id }) => query_id);
  } catch (error) {
    if (toErrorCode(error) !== accessDenied) throw error;
    throw new ClickHouseStartError(
      'The ClickHouse user may not see which inserts run. Grant it SELECT ON system.processes.',
      { cause: error },
    );
  }
}

async function read<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown> = {},
): Promise<Row[]> {
  const result = await client.query({ query, query_params, format: 'JSONEachRow' });
  return await result.json<Row>();
}
