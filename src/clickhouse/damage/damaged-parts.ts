import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ClickHouseClient } from '@clickhouse/client';

import { toErrorCode } from '../client/map-error.ts';
import type { DatabaseAddress } from '../client/open-client.ts';
import { ClickHouseStartError } from '../errors.ts';
import { isCovered, type DetachedPart, type StoredPart } from './is-covered.ts';

/**
 * Tables that materialized views fill from `call_parts`; what they lose can be filled again. `calls` of an
 * upgraded database is not among them: only the release before reads it, which watches it itself.
 */
export const derivedTables: readonly string[] = ['merged_calls', 'call_traces'];

/** Tables whose rows are stored nowhere else. */
export const baseTables: readonly string[] = [
  'call_parts',
  'llm_token_prices',
  'schema_migrations',
];

/** A part that ClickHouse could not read and has moved aside, so that queries do without its rows. */
export interface DamagedPart {
  readonly database: string;
  readonly table: string;
  /** Its name in `system.detached_parts`, such as `broken-on-start_all_1_1_0`. */
  readonly name: string;
  readonly bytes: number;
  /** Undefined where the file that contains it cannot be read. */
  readonly rows: number | undefined;
  readonly path: string;
  /** Whether other parts contain all its rows, so that nothing is lost. */
  readonly isCovered: boolean;
}

/** A damaged part and the URL of its node. */
export interface NodePart extends DamagedPart {
  readonly url: string;
}

/** A database of a node and a client for it. */
export interface Node {
  readonly address: DatabaseAddress;
  readonly client: ClickHouseClient;
}

interface DetachedRow extends DetachedPart {
  readonly table: string;
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

interface StoredRow extends StoredPart {
  readonly table: string;
}

/** Parts that an operator has detached have no reason; `ignored` and others are copies that a replica has elsewhere. */
const selectDetached = `
  SELECT
      table, name, path, ifNull(partition_id, '') AS partition,
      toInt64(ifNull(min_block_number, -1)) AS minBlock, toInt64(ifNull(max_block_number, -1)) AS maxBlock,
      toInt64(ifNull(level, 0)) AS level, toUInt32(modification_time) AS modifiedAt, bytes_on_disk AS bytes
  FROM system.detached_parts
  WHERE database = {database: String} AND table IN {tables: Array(String)}
      AND reason IN ('broken', 'broken-on-start', 'covered-by-broken')
  ORDER BY table, name`;

/** Parts that were merged away count as well: for some minutes they show what existed before. */
const selectStored = `
  SELECT
      table, partition_id AS partition, min_block_number AS minBlock, max_block_number AS maxBlock,
      toInt64(level) AS level, toUInt32(modification_time) AS modifiedAt,
      startsWith(engine, 'Replicated') AND active AS isReplicated
  FROM system.parts
  WHERE database = {database: String} AND table IN {tables: Array(String)}
  ORDER BY table, partition_id, min_block_number`;

/** How long ClickHouse may take to list parts. */
const timeoutMs = 30_000;

/**
 * Finds the damaged parts of tables in the database of one node.
 * @throws {ClickHouseStartError} the user may not see which parts are damaged
 * @throws what the client throws
 */
export async function findDamagedParts(
  client: ClickHouseClient,
  database: string,
  tables: readonly string[] = [...baseTables, ...derivedTables],
): Promise<DamagedPart[]> {
  const read = <Row>(query: string): Promise<Row[]> =>
    readRows<Row>(client, query, { database, tables });
  const detached = await read<DetachedRow>(selectDetached);
  if (detached.length === 0) return [];
  const stored = await read<StoredRow>(selectStored);
  return await Promise.all(
    detached.map(async (part) => {
      const { table, name, bytes, path } = part;
      const ofTable = stored.filter((each) => each.table === table);
      const rows = await readRowCount(path);
      return { database, table, name, bytes, path, rows, isCovered: isCovered(part, ofTable) };
    }),
  );
}

/** The code of ACCESS_DENIED. */
const accessDenied = 497;

async function readRows<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown>,
): Promise<Row[]> {
  try {
    const result = await client.query({
      query,
      query_params,
      format: 'JSONEachRow',
      abort_signal: AbortSignal.timeout(timeoutMs),
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    return await result.json<Row>();
  } catch (error) {
    if (toErrorCode(error) !== accessDenied) throw error;
    throw new ClickHouseStartError(
      'The ClickHouse user may not see which parts are damaged. Grant it SELECT ON system.parts and SELECT ON system.detached_parts.',
      { cause: error },
    );
  }
}

/** The path names the table by a UUID, so that a file of another machine is not mistaken for it. */
async function readRowCount(path: string): Promise<number | undefined> {
  const text = await readFile(join(path, 'count.txt'), 'utf8').catch(() => '');
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Removes a damaged part for good. */
export async function removeDamagedPart(
  { client }: Node,
  { database, table, name }: DamagedPart,
): Promise<void> {
  await client.command({
    query: `ALTER TABLE {database: Identifier}.{table: Identifier} DROP DETACHED PART {name: String}
      SETTINGS allow_drop_detached = 1`,
    query_params: { database, table, name },
  });
}
