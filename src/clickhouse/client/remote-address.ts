import { ClickHouseStartError } from '../errors.ts';
import type { DatabaseAddress } from './open-client.ts';

export interface RemoteSettings {
  /** One address, or the addresses of a cluster's nodes, separated by commas. */
  readonly clickhouseUrl: string;
  readonly clickhouseCluster: string | undefined;
  readonly clickhouseUser: string | undefined;
  readonly clickhousePassword: string | undefined;
  readonly clickhouseDatabase: string;
}

/**
 * Parses all addresses of CLICKHOUSE_URL, of which there is at least one.
 * @throws {ClickHouseStartError} as {@link parseRemoteAddress}, and for several addresses without CLICKHOUSE_CLUSTER
 *   or with different databases.
 */
export function parseRemoteAddresses(
  settings: RemoteSettings,
): [DatabaseAddress, ...DatabaseAddress[]] {
  const [firstUrl = '', ...otherUrls] = settings.clickhouseUrl.split(',');
  const parse = (url: string): DatabaseAddress =>
    parseRemoteAddress({ ...settings, clickhouseUrl: url.trim() });
  const [first, ...others] = [parse(firstUrl), ...otherUrls.map(parse)] as const;
  if (others.length > 0 && settings.clickhouseCluster === undefined) {
    throw new ClickHouseStartError(
      'CLICKHOUSE_URL has several addresses, which needs CLICKHOUSE_CLUSTER: the name of the cluster whose nodes they are.',
    );
  }
  if (others.some(({ database }) => database !== first.database)) {
    throw new ClickHouseStartError(
      'The addresses of CLICKHOUSE_URL name several databases; a cluster has the same one on every node.',
    );
  }
  return [first, ...others];
}

/**
 * Parses one address: `http(s)://[user[:password]@]host[:port][/database]`, the database also as `?database=`. What
 * the address contains has precedence over CLICKHOUSE_USER, CLICKHOUSE_PASSWORD and CLICKHOUSE_DATABASE.
 *
 * @throws {ClickHouseStartError} anything else; the message does not repeat the address, which may contain a password.
 */
export function parseRemoteAddress(
  settings: Omit<RemoteSettings, 'clickhouseCluster'>,
): DatabaseAddress {
  const url = parseUrl(settings.clickhouseUrl);
  const path = decode(url.pathname.slice(1));
  const databases = [path, ...url.searchParams.getAll('database')].filter((text) => text !== '');
  const others = [...url.searchParams.keys()].filter((name) => name !== 'database');
  if (others.length > 0) throw urlError(`it has a parameter ${others[0] ?? ''}`);
  if (databases.length > 1) throw urlError('it names more than one database');
  if (path.includes('/')) throw urlError('its path is not the name of a database');
  return {
    url: url.origin,
    username: decode(url.username) || (settings.clickhouseUser ?? 'default'),
    password: decode(url.password) || (settings.clickhousePassword ?? ''),
    database: databases[0] ?? settings.clickhouseDatabase,
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw urlError('it is not a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw urlError(`it begins with ${url.protocol}`);
  }
  return url;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlError('a % in it is not a valid escape; write %25 for a % itself');
  }
}

function urlError(issue: string): ClickHouseStartError {
  return new ClickHouseStartError(
    `CLICKHOUSE_URL cannot be used, ${issue}; it should be like https://user:password@clickhouse.example:8443/database.`,
  );
}
