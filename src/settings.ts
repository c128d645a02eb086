/** A setting that cannot be used; the message names it, the value's fault and what would be right. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

interface Setting<T> {
  readonly name: string;
  /** As it is printed in the README; `undefined` where there is none. */
  readonly default: string | undefined;
  readonly about: string;
  readonly parse: (text: string, name: string) => T;
}

/**
 * Every setting of the service, in the order of the README's table, which a test compares with this one.
 * The environment is the only source; an empty value counts as unset.
 */
export const settingsTable = {
  host: text('HOST', '127.0.0.1', 'Address to listen on.'),
  port: whole('PORT', 8080, 0, 65_535, 'Port to listen on; 0 takes a free one.'),
  apiKeys: optionalText('API_KEYS', 'Keys that may do everything, separated by commas.'),
  apiKeysFile: optionalText(
    'API_KEYS_FILE',
    'JSON file of hashed keys with project patterns and rights.',
  ),
  clickhouseUrl: optionalText(
    'CLICKHOUSE_URL',
    'http(s) address of a ClickHouse server; unset: the embedded engine.',
  ),
  clickhouseCluster: optionalText(
    'CLICKHOUSE_CLUSTER',
    'Name of the cluster whose nodes CLICKHOUSE_URL lists, separated by commas; unset: one server.',
  ),
  clickhouseUser: optionalText('CLICKHOUSE_USER', 'User name, unless it stands in CLICKHOUSE_URL.'),
  clickhousePassword: optionalText(
    'CLICKHOUSE_PASSWORD',
    'Password, unless it stands in CLICKHOUSE_URL.',
  ),
  clickhouseDatabase: text(
    'CLICKHOUSE_DATABASE',
    'calls_usage',
    'Database; made if it is missing.',
  ),
  clickhouseMaxOpenConnections: whole(
    'CLICKHOUSE_MAX_OPEN_CONNECTIONS',
    32,
    1,
    1_000,
    'Connections to ClickHouse at most.',
  ),
  clickhouseTimeoutMs: whole(
    'CLICKHOUSE_TIMEOUT_MS',
    60_000,
    100,
    3_600_000,
    'How long one request to ClickHouse may take, in milliseconds.',
  ),
  clickhouseCompression: flag(
    'CLICKHOUSE_COMPRESSION',
    false,
    'Compress requests to and answers of ClickHouse.',
  ),
  dataDir: text(
    'DATA_DIR',
    './data',
    'Where the embedded engine and the made key keep their files.',
  ),
  queryTimeoutMs: whole(
    'QUERY_TIMEOUT_MS',
    30_000,
    100,
    3_600_000,
    'How long one query may run in ClickHouse, in milliseconds; then 504.',
  ),
  queryMemoryMb: whole(
    'QUERY_MEMORY_MB',
    4_096,
    16,
    1_048_576,
    'Memory that one query may take in ClickHouse, in MiB; then 503.',
  ),
  queryResultRows: whole(
    'QUERY_RESULT_ROWS',
    1_000_000,
    1,
    1_000_000_000,
    'Rows that ClickHouse may answer one query with.',
  ),
  queryResultMb: whole(
    'QUERY_RESULT_MB',
    256,
    1,
    1_048_576,
    'Size of one answer of ClickHouse, in MiB.',
  ),
  usageConcurrency: whole(
    'USAGE_CONCURRENCY',
    4,
    1,
    1_000,
    'Questions that ClickHouse answers at once; those that wait for it are read together.',
  ),
  usageQueueSize: whole(
    'USAGE_QUEUE_SIZE',
    1_000,
    1,
    1_000_000,
    'Questions that may wait for ClickHouse; beyond it 503.',
  ),
  usageBatchIds: whole(
    'USAGE_BATCH_IDS',
    1_000,
    1,
    1_000_000,
    'Calls that waiting questions may ask for together in one statement.',
  ),
  insertFlushIntervalMs: whole(
    'INSERT_FLUSH_INTERVAL_MS',
    100,
    0,
    10_000,
    'How long calls of several requests may wait to become one insert, in milliseconds.',
  ),
  insertBatchRows: whole(
    'INSERT_BATCH_ROWS',
    10_000,
    1,
    1_000_000,
    'Calls of several requests that become one insert, at most.',
  ),
  insertBatchMb: whole(
    'INSERT_BATCH_MB',
    8,
    1,
    1_024,
    'Size of the calls of several requests that become one insert, at most, in MiB.',
  ),
  insertConcurrency: whole(
    'INSERT_CONCURRENCY',
    4,
    1,
    1_000,
    'Inserts of calls under way at most.',
  ),
  insertQueueMb: whole(
    'INSERT_QUEUE_MB',
    256,
    1,
    1_048_576,
    'Bodies and calls that may wait to be inserted, in MiB; beyond it 503.',
  ),
  bodyLimitMb: whole(
    'BODY_LIMIT_MB',
    64,
    1,
    1_024,
    'Largest request body, after decompression, in MiB; beyond it 413.',
  ),
  requestsPerSecond: whole(
    'RATE_LIMIT_PER_SECOND',
    0,
    0,
    1_000_000,
    'Requests of one key in one second at most, beyond it 429; 0 for any number.',
  ),
  headersTimeoutMs: whole(
    'HEADERS_TIMEOUT_MS',
    15_000,
    100,
    600_000,
    'How long a client may take to send the headers of a request, in milliseconds.',
  ),
  requestTimeoutMs: whole(
    'REQUEST_TIMEOUT_MS',
    120_000,
    100,
    3_600_000,
    'How long a client may take to send a whole request, in milliseconds; then 408.',
  ),
  keepAliveTimeoutMs: whole(
    'KEEP_ALIVE_TIMEOUT_MS',
    65_000,
    100,
    3_600_000,
    'How long an idle connection is kept open, in milliseconds.',
  ),
  shutdownTimeoutMs: whole(
    'SHUTDOWN_TIMEOUT_MS',
    10_000,
    0,
    600_000,
    'How long requests under way may take after SIGTERM, in milliseconds.',
  ),
  logLevel: oneOf(
    'LOG_LEVEL',
    'info',
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'Least severe level that is logged.',
  ),
} as const satisfies Record<string, Setting<unknown>>;

export type Settings = {
  readonly [K in keyof typeof settingsTable]: (typeof settingsTable)[K] extends Setting<infer T>
    ? T
    : never;
};

/**
 * Reads all settings.
 * @throws {SettingsError} naming every setting that cannot be used, at once.
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const issues: string[] = [];
  const entries = Object.entries(settingsTable).map(([key, setting]) => {
    const given = environment[setting.name];
    const value = given === undefined || given === '' ? setting.default : given;
    if (value === undefined) return [key, undefined];
    try {
      return [key, setting.parse(value, setting.name)];
    } catch (error) {
      issues.push((error as Error).message);
      return [key, undefined];
    }
  });
  if (issues.length > 0) throw new SettingsError(issues.join('\n'));
  return Object.fromEntries(entries) as Settings;
}

function text(name: string, fallback: string, about: string): Setting<string> {
  return { name, default: fallback, about, parse: (value) => value };
}

function optionalText(name: string, about: string): Setting<string | undefined> {
  return { name, default: undefined, about, parse: (value) => value };
}

function whole(
  name: string,
  fallback: number,
  least: number,
  most: number,
  about: string,
): Setting<number> {
  const parse = (value: string): number => {
    const number = /^\d+$/.test(value) ? Number(value) : NaN;
    if (number >= least && number <= most) return number;
    throw new Error(
      `${name} is ${JSON.stringify(value)}; it takes a whole number from ${least} to ${most}.`,
    );
  };
  return { name, default: String(fallback), about, parse };
}

function flag(name: string, fallback: boolean, about: string): Setting<boolean> {
  const { parse, ...rest } = oneOf(name, String(fallback), ['true', 'false'], about);
  return { ...rest, parse: (value) => parse(value, name) === 'true' };
}

function oneOf<const T extends string>(
  name: string,
  fallback: T,
  allowed: readonly T[],
  about: string,
): Setting<T> {
  const parse = (value: string): T => {
    const found = allowed.find((each) => each === value);
    if (found !== undefined) return found;
    throw new Error(`${name} is ${JSON.stringify(value)}; it takes one of ${allowed.join(', ')}.`);
  };
  return { name, default: fallback, about, parse };
}
