import { randomBytes } from 'node:crypto';

import { ClickHouseError, createClient, type ClickHouseClient } from '@clickhouse/client';
import { inject } from 'vitest';

import type { Address } from '../../src/clickhouse/client/connection.ts';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { parseMigration, type Migration } from '../../src/clickhouse/schema/migrations.ts';
import { parseQuery, type Queries, type QueryName } from '../../src/clickhouse/client/queries.ts';
import {
  startClickHouse,
  type ClickHouseExtras,
  type ConnectionSettings,
} from '../../src/clickhouse/start-clickhouse.ts';
import { parseSettings } from '../../src/settings.ts';
import { silentLog } from './silent-log.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The ClickHouse of this run, from one of the global set-ups. */
    clickhouse: Address;
    /** Of the embedded engine's users `limited`, who may use the database `allowed`, and `unknown`, who is none. */
    guestPassword: string;
  }
}

/** An engine on a database of its own, with all migrations applied. */
export interface TestClickHouse {
  readonly clickhouse: ClickHouse;
  readonly database: string;
  /** What a service needs in its environment to use the same database. */
  readonly environment: {
    readonly CLICKHOUSE_URL: string;
    readonly CLICKHOUSE_DATABASE: string;
  };
  /** Runs a SELECT of the test's own in the database; 64-bit integers and decimals arrive as text. */
  query<Row>(sql: string, parameters?: Record<string, unknown>): Promise<Row[]>;
  /** Runs any other statement of the test's own in the database. */
  command(sql: string, parameters?: Record<string, unknown>): Promise<void>;
  /** Inserts as a pipeline would that has no service. */
  insert(table: string, rows: readonly object[]): Promise<void>;
  /** Closes the engine and drops the database. */
  close(): Promise<void>;
}

/** Opens an engine on a new database of this run's ClickHouse; close it in `afterAll`. */
export async function openTestClickHouse(
  settings: Partial<ConnectionSettings> = {},
  extras: ClickHouseExtras = {},
): Promise<TestClickHouse> {
  const database = `test_${randomBytes(8).toString('hex')}`;
  const environment = { CLICKHOUSE_URL: serverUrl(), CLICKHOUSE_DATABASE: database };
  const clickhouse = startClickHouse(
    { ...parseSettings(environment), ...settings },
    silentLog,
    extras,
  );
  await clickhouse.ready;
  const client = openServerClient(database);
  return {
    clickhouse,
    database,
    environment,
    query: (sql, parameters) => queryRows(client, sql, parameters),
    command: async (query, query_params = {}) => {
      await client.command({ query, query_params });
    },
    insert: async (table, values) => {
      await client.insert({ table, values, format: 'JSONEachRow' });
    },
    close: async () => {
      await clickhouse.close();
      await client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
      await client.close();
    },
  };
}

/** Queries of a test's own, for {@link ClickHouseExtras.queries}. */
export function toQueries(texts: Readonly<Record<string, string>>): Queries {
  return new Map(Object.entries(texts).map(([name, sql]) => [name, parseQuery(name, sql)]));
}

/** Migrations of a test's own, for {@link ClickHouseExtras.migrations}. */
export function toMigrations(files: Readonly<Record<string, string>>): Migration[] {
  return Object.entries(files).map(([name, sql]) => parseMigration(name, sql));
}

/** Reads a query of a test's own. */
export async function readRows<Row>(
  clickhouse: ClickHouse,
  name: string,
  parameters: Readonly<Record<string, unknown>> = {},
  options: { readonly signal?: AbortSignal } = {},
): Promise<Row[]> {
  return await clickhouse.read<Row>(name as QueryName, parameters, options);
}

/** What the client throws when ClickHouse answers with an error. */
export function clickHouseError(code: number, type: string): Error {
  return new ClickHouseError({ message: type, code: String(code), type });
}

/** Address of this run's ClickHouse, with user name and password, as CLICKHOUSE_URL has it. */
export function serverUrl(): string {
  const { url, username, password } = inject('clickhouse');
  const address = new URL(url);
  address.username = username;
  address.password = password;
  return address.href;
}

/** A client of this run's ClickHouse, past the engine; the caller closes it. */
export function openServerClient(database = 'default'): ClickHouseClient {
  return createClient({
    ...inject('clickhouse'),
    database,
    // Large fixtures take a busy machine longer than the client's 30 s.
    request_timeout: 300_000,
    clickhouse_settings: {
      output_format_json_quote_64bit_integers: 1,
      output_format_json_quote_decimals: 1,
      wait_end_of_query: 1,
    },
  });
}

/** Rows of a SELECT. */
export async function queryRows<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown> = {},
): Promise<Row[]> {
  const result = await client.query({ query, query_params, format: 'JSONEachRow' });
  return await result.json<Row>();
}
