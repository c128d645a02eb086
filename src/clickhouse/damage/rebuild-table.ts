import type { ClickHouseClient } from '@clickhouse/client';

import type { Log } from '../clickhouse.ts';
import type { Node } from './damaged-parts.ts';
import { readDerivation } from './derivations.ts';

export interface RebuildOptions {
  /** Rows of `call_parts` in one INSERT; more where a trace is larger. */
  readonly chunkRows: number;
  readonly log: Log;
  /** Throws when another service may have begun to rebuild. */
  readonly checkLock: () => void;
}

/** The project and the trace of a row. */
interface Position {
  readonly project: string;
  readonly trace: string;
}

/** Unlike comparisons of tuples, these use the primary key. */
const isAfterFirst =
  '(project_id > {firstProject: String} OR (project_id = {firstProject: String} AND trace_id > {firstTrace: String}))';
const isUntilLast =
  '(project_id < {lastProject: String} OR (project_id = {lastProject: String} AND trace_id <= {lastTrace: String}))';

/** The trace after which a chunk ends, which no other chunk shares with it. */
const selectLast = `
  SELECT project_id AS project, trace_id AS trace FROM {database: Identifier}.call_parts WHERE ${isAfterFirst}
  ORDER BY project_id, trace_id LIMIT 1 OFFSET {chunkRows: UInt64}`;

const selectRowCount = `
  SELECT toUInt32(sum(rows)) AS total FROM system.parts
  WHERE database = {database: String} AND table = 'call_parts' AND active`;

/**
 * Derives the rows of a table from all `call_parts` of a node once more, chunk by chunk. Rows that the table still has
 * are inserted again, which changes nothing, because their columns are aggregated by `max` and `min`.
 * @throws what the client throws; some of the rows are then inserted, and this may run again.
 */
export async function rebuildTable(
  { client, address: { database } }: Node,
  table: string,
  { chunkRows, log, checkLock }: RebuildOptions,
): Promise<void> {
  const { target, columns, select } = await readDerivation(client, database, table);
  const names = columns.join(', ');
  const insert = `INSERT INTO ${target} (${names}) SELECT ${names} FROM (${select}) WHERE ${isAfterFirst}`;
  const [{ total } = { total: 0 }] = await read<{ total: number }>(client, selectRowCount, {
    database,
  });
  let position: Position | undefined = { project: '', trace: '' };
  for (let done = 0; position !== undefined; done += chunkRows) {
    log.info({ database, table, rows: done, of: total }, 'filling a derived table again');
    checkLock();
    const first: Record<string, unknown> = {
      firstProject: position.project,
      firstTrace: position.trace,
    };
    [position] = await read<Position>(client, selectLast, { database, chunkRows, ...first });
    await runInsert(client, position === undefined ? insert : `${insert} AND ${isUntilLast}`, {
      ...first,
      ...(position && { lastProject: position.project, lastTrace: position.trace }),
    });
  }
}

async function read<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown>,
): Promise<Row[]> {
  const result = await client.query({ query, query_params, format: 'JSONEachRow' });
  return await result.json<Row>();
}

async function runInsert(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown>,
): Promise<void> {
  await client.command({
    query,
    query_params,
    clickhouse_settings: {
      wait_end_of_query: 1,
      max_execution_time: 0,
      distributed_foreground_insert: 1,
      // A replicated table would skip a block that it has had before.
      insert_deduplicate: 0,
    },
  });
}
