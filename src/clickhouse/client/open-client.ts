import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';

/** A ClickHouse server and the credentials for it. */
export interface Address {
  /** Without credentials, database and path, such as `http://127.0.0.1:8123`. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Default database of every statement; undefined for statements that run before it exists. */
  readonly database?: string;
}

export type DatabaseAddress = Required<Address>;

export interface ClientLimits {
  readonly maxOpenConnections: number;
  /** Maximum duration of a request, the wait for a connection included. */
  readonly timeoutMs: number;
  /** Whether requests and responses are compressed. */
  readonly compression: boolean;
  /** Whether requests are not, whatever responses are; ClickHouse cannot read a form that is compressed. */
  readonly sendsForms?: boolean;
}

/** Opens a client of one ClickHouse server; sends nothing yet. */
export function openClient(address: Address, limits: ClientLimits): ClickHouseClient {
  return createClient({
    url: address.url,
    username: address.username,
    password: address.password,
    ...(address.database === undefined ? {} : { database: address.database }),
    application: 'calls-usage',
    max_open_connections: limits.maxOpenConnections,
    request_timeout: limits.timeoutMs,
    compression: {
      request: limits.compression && limits.sendsForms !== true,
      response: limits.compression,
    },
    keep_alive: { enabled: true, eagerly_destroy_stale_sockets: true },
    use_multipart_params_auto: true,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { session_timezone: 'UTC' },
  });
}
