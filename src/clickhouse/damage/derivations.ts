import type { ClickHouseClient } from '@clickhouse/client';

/** How a materialized view derives the rows of a table. */
export interface Derivation {
  /** The table that the view fills, quoted where necessary, with its database. */
  readonly target: string;
  readonly columns: readonly string[];
  /** The view's SELECT, in ASCII. */
  readonly select: string;
}

interface ViewRow {
  readonly columns: readonly string[];
  readonly create: string;
  readonly select: string;
  /** Whether it reads `call_parts`; other views fill the same table after an upgrade. */
  readonly isFromParts: boolean | number;
}

const selectViews = `
  SELECT views.create_table_query AS create, hex(views.as_select) AS select, columns.names AS columns,
      match(views.as_select, ' FROM \\\\S+[.]call_parts\\\\b') AS isFromParts
  FROM system.tables AS views
  INNER JOIN (
      SELECT table, arrayMap(each -> each.2, arraySort(groupArray((position, name)))) AS names
      FROM system.columns WHERE database = {database: String} GROUP BY table
  ) AS columns ON columns.table = views.name
  WHERE views.database = {database: String} AND views.engine = 'MaterializedView'`;

/**
 * Reads from ClickHouse how a derived table is derived, so that it is filled again exactly as inserts fill it.
 * @param client of the node
 * @param database the node's database, with the views
 * @throws if no view fills the table
 */
export async function readDerivation(
  client: ClickHouseClient,
  database: string,
  table: string,
): Promise<Derivation> {
  const result = await client.query({
    query: selectViews,
    query_params: { database },
    format: 'JSONEachRow',
  });
  for (const { create, select, columns, isFromParts } of await result.json<ViewRow>()) {
    const target = / TO (\S+) \(/.exec(create)?.[1];
    const name = target?.split('.').at(-1)?.replaceAll('`', '');
    if (target !== undefined && name === table && isFromParts) {
      return { target, columns, select: toAscii(select) };
    }
  }
  throw new Error(`No materialized view of ${database} fills ${table}.`);
}

/**
 * Escapes all bytes but ASCII. They stand in string literals, and need not be UTF-8 there, which the client would
 * replace: `open_id` of ended calls is the byte 0xFF.
 */
function toAscii(hex: string): string {
  return Buffer.from(hex, 'hex')
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}
