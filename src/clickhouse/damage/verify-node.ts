import type { ClickHouseClient } from '@clickhouse/client';

import { toErrorKind } from '../client/map-error.ts';
import { baseTables, derivedTables, type Node } from './damaged-parts.ts';
import { readDerivation } from './derivations.ts';

/** What was compared or checked, and what is wrong with it. */
export interface Verdict {
  readonly table: string;
  readonly check: 'rows' | 'files' | 'rollups';
  /** Empty where nothing is wrong; at most {@link maxIssues}. */
  readonly issues: readonly string[];
}

/** Traces of a derived table, and parts of any table, that are named. */
export const maxIssues = 20;

/**
 * Compares the derived tables of a node with what their materialized views make of `call_parts`, then lets ClickHouse
 * check the files of all tables.
 * @throws what the client throws, unless stored data cannot be read
 */
export async function* verifyNode(node: Node): AsyncGenerator<Verdict> {
  for (const table of derivedTables) {
    yield { table, check: 'rows', issues: await compareRows(node, table) };
  }
  for (const table of [...baseTables, ...derivedTables]) {
    yield { table, check: 'files', issues: await checkFiles(node, table) };
  }
}

async function compareRows(node: Node, table: string): Promise<string[]> {
  try {
    return await findDifferentTraces(node, table);
  } catch (error) {
    if (toErrorKind(error) !== 'unreadable') throw error;
    return [`cannot be compared: ${(error as Error).message}`];
  }
}

/** Traces are compared by the sums of their rows' hashes, first all traces of a bucket together. */
const buckets = 4096;

/**
 * Reads both sides twice: which buckets differ, and then which traces of these. A bucket that differs has a trace that
 * does, so as many buckets are enough as traces are named.
 */
async function findDifferentTraces({ client, address }: Node, table: string): Promise<string[]> {
  const toRows = await readComparison(client, address.database, table);
  const having = 'HAVING sumIf(hash, isStored) != sumIf(hash, NOT isStored)';
  const different = await read<{ bucket: number }>(
    client,
    `SELECT toUInt32(unit % ${buckets}) AS bucket FROM (${toRows('1')})
     GROUP BY bucket ${having} ORDER BY bucket LIMIT ${maxIssues}`,
  );
  if (different.length === 0) return [];
  const isDifferent = `unit % ${buckets} IN (${different.map(({ bucket }) => bucket).join(', ')})`;
  const traces = await read<{ project: string; name: string }>(
    client,
    `SELECT project, max(trace) AS name FROM (${toRows(isDifferent)})
     GROUP BY project, unit ${having} ORDER BY project, name LIMIT ${maxIssues}`,
  );
  return traces.map(({ project, name }) => `trace ${name} of ${project} differs`);
}

interface Column {
  readonly name: string;
  readonly type: string;
}

const selectColumns = `
  SELECT name, type FROM system.columns
  WHERE database = {database: String} AND table = {table: String} ORDER BY position`;

/**
 * Returns a function that returns a statement with the hashes of all rows, stored and derived, that are aggregated as
 * merges do it. On a cluster the view of `call_traces` writes to all shards; then both sides are read from all shards.
 * @returns its argument is a condition on `unit`, the hash of a row's trace, in `call_traces` of its call
 */
async function readComparison(
  client: ClickHouseClient,
  database: string,
  table: string,
): Promise<(condition: string) => string> {
  const { target, columns: names, select } = await readDerivation(client, database, table);
  const columns = await read<Column>(client, selectColumns, { database, table });
  const keys = columns.filter(({ type }) => !isAggregated(type)).map(({ name }) => name);
  const unit = `cityHash64(${keys.slice(0, 2).join(', ')})`;
  const values = columns.filter(isCompared).map(toValue).join(', ');
  const derived = `(${select.replace(/ FROM \S+\.call_parts\b/, ` FROM ${toDatabase(target)}.call_parts`)})`;
  return (condition) =>
    [target, derived]
      .map(
        (source, index) => `
          SELECT project_id AS project, ${unit} AS unit, max(trace_id) AS trace, cityHash64(${values}) AS hash,
              ${index === 0 ? 1 : 0} AS isStored
          FROM (SELECT ${names.join(', ')} FROM ${source}) WHERE ${condition}
          GROUP BY ${keys.join(', ')}`,
      )
      .join(' UNION ALL ');
}

/** `calls_usage.calls` without the table. */
function toDatabase(target: string): string {
  return target.slice(0, target.lastIndexOf('.'));
}

const aggregation = /^SimpleAggregateFunction\((\w+), (.+)\)$/s;

/** A sum counts a part for each time that it was inserted; of repeated parts, `call_parts` keeps one. */
function isCompared({ type }: Column): boolean {
  return aggregation.exec(type)?.[1] !== 'sum';
}

function isAggregated(type: string): boolean {
  return aggregation.test(type);
}

/** A column of the view may have a type that ClickHouse would convert, and hash otherwise. */
function toValue({ name, type }: Column): string {
  const [, aggregate, valueType = ''] = aggregation.exec(type) ?? [];
  return aggregate === undefined ? name : `CAST(${aggregate}(${name}), '${valueType}')`;
}

interface CheckedPart {
  readonly part_path: string;
  readonly is_passed: boolean | number;
  readonly message: string;
}

async function checkFiles({ client, address }: Node, table: string): Promise<string[]> {
  const { database } = address;
  const parts = await read<CheckedPart>(
    client,
    `CHECK TABLE {database: Identifier}.{table: Identifier}
     SETTINGS check_query_single_value_result = 0`,
    { database, table },
  );
  return parts
    .filter(({ is_passed }) => !is_passed)
    .slice(0, maxIssues)
    .map(({ part_path, message }) => `part ${part_path} is damaged: ${message}`);
}

/** Groups that need more memory go to the disk. */
const maxGroupBytes = 128 * 1024 * 1024;

async function read<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown> = {},
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params,
    format: 'JSONEachRow',
    clickhouse_settings: {
      max_execution_time: 0,
      max_bytes_before_external_group_by: String(maxGroupBytes),
      // In the order of only a prefix of the keys, the groups of a whole project would be kept in memory.
      optimize_aggregation_in_order: 0,
    },
  });
  return await result.json<Row>();
}
