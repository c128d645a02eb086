import type { ClickHouseClient } from '@clickhouse/client';

/** The project and the trace of a row, in hexadecimal: a pipeline may have inserted bytes that are not UTF-8. */
export interface Position {
  readonly project: string;
  readonly trace: string;
}

/** How much of `call_parts` was read. */
interface ChunkProgress {
  /** Rows, rounded: a trace is never cut. */
  readonly rows: number;
  readonly of: number;
}

export interface ChunkOptions {
  /** Rows of `call_parts` in one INSERT; more where a trace is larger. */
  readonly chunkRows: number;
  /** Where an earlier run ended; nothing: at the first row. */
  readonly start?: Position & { readonly rows: number };
  /** Throws when another service may have begun to insert. */
  readonly checkLock: () => void;
  /** Called before each chunk. */
  readonly onProgress: (progress: ChunkProgress) => void;
  /** Called after each chunk but the last one with the position at which it ended. */
  readonly onChunk?: (position: Position & { readonly rows: number }) => Promise<void>;
}

/** Unlike comparisons of tuples, these use the primary key. */
const isAfterFirst =
  '(project_id > unhex({firstProject: String}) OR (project_id = unhex({firstProject: String}) AND trace_id > unhex({firstTrace: String})))';
const isUntilLast =
  '(project_id < unhex({lastProject: String}) OR (project_id = unhex({lastProject: String}) AND trace_id <= unhex({lastTrace: String})))';

/** The trace after which a chunk ends, which no other chunk shares with it. */
const selectLast = `
  SELECT hex(project_id) AS project, hex(trace_id) AS trace
  FROM {database: Identifier}.call_parts WHERE ${isAfterFirst}
  ORDER BY project_id, trace_id LIMIT 1 OFFSET {chunkRows: UInt64}`;

const selectRowCount = `
  SELECT toFloat64(sum(rows)) AS total FROM system.parts
  WHERE database = {database: String} AND table = 'call_parts' AND active`;

/**
 * Runs an INSERT … SELECT from all `call_parts` of a node, chunk by chunk in the order of the key, while others insert.
 * @param insert without a WHERE, which is added to it; its source has the columns `project_id` and `trace_id`
 * @throws what the client throws; some of the rows are then inserted
 */
export async function insertInChunks(
  client: ClickHouseClient,
  database: string,
  insert: string,
  { chunkRows, start, checkLock, onProgress, onChunk }: ChunkOptions,
): Promise<void> {
  const [{ total: of } = { total: 0 }] = await read<{ total: number }>(client, selectRowCount, {
    database,
  });
  let rows = start?.rows ?? 0;
  let position: Position | undefined = start ?? { project: '', trace: '' };
  while (position !== undefined) {
    onProgress({ rows, of });
    checkLock();
    const first: Record<string, unknown> = {
      firstProject: position.project,
      firstTrace: position.trace,
    };
    [position] = await read<Position>(client, selectLast, { database, chunkRows, ...first });
    const condition = position === undefined ? isAfterFirst : `${isAfterFirst} AND ${isUntilLast}`;
    await runInsert(client, `${insert} WHERE ${condition}`, {
      ...first,
      ...(position && { lastProject: position.project, lastTrace: position.trace }),
    });
    rows += chunkRows;
    if (position !== undefined) await onChunk?.({ ...position, rows });
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
