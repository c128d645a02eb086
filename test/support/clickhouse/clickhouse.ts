import { randomBytes } from 'node:crypto';

import {
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
} from '@clickhouse/client';
import { inject } from 'vitest';

import type { Address } from '../../../src/clickhouse/client/open-client.ts';
import {
  parseQuery,
  readQueries,
  type Queries,
  type QueryName,
} from '../../../src/clickhouse/client/statements/queries.ts';
import { parseRemoteAddresses } from '../../../src/clickhouse/client/remote-address.ts';
import { toLimits } from '../../../src/clickhouse/client/request-settings.ts';
import type { ClickHouse, Log } from '../../../src/clickhouse/clickhouse.ts';
import { parseMigration, type Migration } from '../../../src/clickhouse/schema/migrations.ts';
import { openSession } from '../../../src/clickhouse/schema/open-session.ts';
import { readSchema, type Schema } from '../../../src/clickhouse/schema/prepare-database.ts';
import type { ConnectionSettings } from '../../../src/clickhouse/start-clickhouse.ts';
import { SupervisedClickHouse } from '../../../src/clickhouse/supervised-clickhouse.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import { silentLog } from '../silent-log.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The ClickHouse server of this run, from one of the global set-ups. */
    clickhouse: Address;
    /** Password of `limited`, who may use the database `allowed`, and of `unknown`, who is not a user. */
    otherPassword: string;
  }
}

/** What a test chooses itself; the service's own by default. */
export interface TestChoices extends Partial<Schema> {
  readonly queries?: Queries;
  readonly log?: Log;
}

/** A ClickHouse on a database of its own, with all migrations applied. */
export interface TestClickHouse {
  readonly clickhouse: ClickHouse;
  readonly database: string;
  /** The settings with which a service uses the same database. */
  readonly environment: {
    readonly CLICKHOUSE_URL: string;
    readonly CLICKHOUSE_DATABASE: string;
  };
  /** Runs a SELECT in the database, without the service's client; 64-bit integers and decimals are text. */
  query<Row>(sql: string, parameters?: Record<string, unknown>): Promise<Row[]>;
  /** Runs any other statement in the database. */
  command(sql: string, parameters?: Record<string, unknown>): Promise<void>;
  /** Inserts as a pipeline without the service would. */
  insert(table: string, rows: readonly object[]): Promise<void>;
  /** Closes the connection and drops the database. */
  close(): Promise<void>;
}

/** Connects to a new database of this run's server; the caller closes it, see `clickhouseFixture`. */
export async function openTestClickHouse(
  settings: Partial<ConnectionSettings> = {},
  choices: TestChoices = {},
): Promise<TestClickHouse> {
  const database = `test_${randomBytes(8).toString('hex')}`;
  const environment = { CLICKHOUSE_URL: serverUrl(), CLICKHOUSE_DATABASE: database };
  const clickhouse = startServerClickHouse({ ...parseSettings(environment), ...settings }, choices);
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

/** Connects to a server as the service does. */
export function startServerClickHouse(
  settings: ConnectionSettings,
  choices: TestChoices = {},
): ClickHouse {
  const { queries = readQueries(), log = silentLog, ...schema } = choices;
  // What follows all migrations cannot follow some.
  const afterCreation = schema.migrations === undefined ? readSchema().afterCreation : [];
  const { clickhouseUrl = '' } = settings;
  const [address] = parseRemoteAddresses({ ...settings, clickhouseUrl });
  const options = {
    schema: { ...readSchema(), afterCreation, ...schema },
    limits: toLimits(settings),
    damageCheckIntervalMs: settings.damageCheckIntervalMs,
    onDamage: () => undefined,
    databaseEngine: '',
    payloadRetentionDays: settings.payloadRetentionDays,
    fillChunkRows: settings.fillChunkRows,
    log,
  };
  return new SupervisedClickHouse({
    queries,
    open: (signal) => openSession(address, options, signal),
    prepare: () => Promise.resolve(),
    log,
  });
}

/** Parses queries for {@link TestChoices.queries}. */
export function toQueries(texts: Readonly<Record<string, string>>): Queries {
  return new Map(Object.entries(texts).map(([name, sql]) => [name, parseQuery(name, sql)]));
}

/** Parses migrations for {@link TestChoices.migrations}. */
export function toMigrations(files: Readonly<Record<string, string>>): Migration[] {
  return Object.entries(files).map(([name, sql]) => parseMigration(name, sql));
}

/** Runs a query that the test has added. */
export async function readRows<Row>(
  clickhouse: ClickHouse,
  name: string,
  parameters: Readonly<Record<string, unknown>> = {},
  options: { readonly signal?: AbortSignal } = {},
): Promise<Row[]> {
  return await clickhouse.read<Row>(name as QueryName, parameters, options);
}

/** The error that the client throws when ClickHouse answers with an error. */
export function clickHouseError(code: number, type: string): Error {
  return new ClickHouseError({ message: type, code: String(code), type });
}

/** CLICKHOUSE_URL of this run's server, with user name and password. */
export function serverUrl(): string {
  const { url, username, password } = inject('clickhouse');
  const address = new URL(url);
  address.username = username;
  address.password = password;
  return address.href;
}

/** Opens a client of this run's server that is not the service's; the caller closes it. */
export function openServerClient(database = 'default'): ClickHouseClient {
  return createClient({
    ...inject('clickhouse'),
    database,
    // Large fixtures take longer than the client's default of 30 s on a busy machine.
    request_timeout: 300_000,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      output_format_json_quote_64bit_integers: 1,
      output_format_json_quote_decimals: 1,
      wait_end_of_query: 1,
    },
  });
}

/** Returns the rows of a SELECT. */
export async function queryRows<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown> = {},
): Promise<Row[]> {
  const result = await client.query({ query, query_params, format: 'JSONEachRow' });
  return await result.json<Row>();
}
