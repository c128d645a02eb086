import type { Address } from './connection.ts';
import { ClickHouseStartError } from '../errors.ts';

export interface RemoteOptions {
  /** One address, or of a cluster those of its nodes, separated by commas. */
  readonly clickhouseUrl: string;
  readonly clickhouseUser: string | undefined;
  readonly clickhousePassword: string | undefined;
  readonly clickhouseDatabase: string;
}

/**
 * Reads CLICKHOUSE_URL where CLICKHOUSE_CLUSTER may name the cluster whose nodes stand there.
 * @throws {ClickHouseStartError} as {@link toRemoteAddress}, and where several nodes make no cluster or have several databases.
 */
export function toRemoteAddresses(
  options: RemoteOptions & { readonly clickhouseCluster: string | undefined },
): Required<Address>[] {
  const addresses = options.clickhouseUrl
    .split(',')
    .map((clickhouseUrl) => toRemoteAddress({ ...options, clickhouseUrl: clickhouseUrl.trim() }));
  if (addresses.length > 1 && options.clickhouseCluster === undefined) {
    throw new ClickHouseStartError(
      'CLICKHOUSE_URL has several addresses, which needs CLICKHOUSE_CLUSTER: the name of the cluster whose nodes they are.',
    );
  }
  if (new Set(addresses.map(({ database }) => database)).size > 1) {
    throw new ClickHouseStartError(
      'The addresses of CLICKHOUSE_URL name several databases; a cluster has the same one on every node.',
    );
  }
  return addresses;
}

/**
 * Reads one address of CLICKHOUSE_URL: `http(s)://[user[:password]@]host[:port][/database]`, the database also as
 * `?database=`. What stands in it wins over the settings of its own.
 *
 * @throws {ClickHouseStartError} it is something else; the message does not repeat it, since it may hold a password.
 */
export function toRemoteAddress(options: RemoteOptions): Required<Address> {
  const url = parseUrl(options.clickhouseUrl);
  const path = decode(url.pathname.slice(1));
  const databases = [path, ...url.searchParams.getAll('database')].filter((text) => text !== '');
  const others = [...url.searchParams.keys()].filter((name) => name !== 'database');
  if (others.length > 0) throw refuse(`it has a parameter ${others[0] ?? ''}`);
  if (databases.length > 1) throw refuse('it names more than one database');
  if (path.includes('/')) throw refuse('its path is not the name of a database');
  return {
    url: url.origin,
    username: decode(url.username) || (options.clickhouseUser ?? 'default'),
    password: decode(url.password) || (options.clickhousePassword ?? ''),
    database: databases[0] ?? options.clickhouseDatabase,
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw refuse('it is no URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refuse(`it begins with ${url.protocol}`);
  }
  return url;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('a % in it begins no character; write %25 for a % itself');
  }
}

function refuse(issue: string): ClickHouseStartError {
  return new ClickHouseStartError(
    `CLICKHOUSE_URL cannot be used, ${issue}; it should be like https://user:password@clickhouse.example:8443/database.`,
  );
}
