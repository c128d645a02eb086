import { findUnknownSettings, type UnknownSetting } from './unknown-settings.ts';

/** Every setting of the service, in the order of the documented table, which a test compares with this one. */
export const settingsTable = {
  host: text('HOST', '127.0.0.1', 'Address to listen on.'),
  port: integer('PORT', 8080, [0, 65_535], 'Port to listen on; 0 chooses a free one.'),
  apiKeys: optionalText('API_KEYS', 'Keys with access to everything, separated by commas.'),
  apiKeysFile: optionalText(
    'API_KEYS_FILE',
    'JSON file of hashed keys with project patterns and scopes.',
  ),
  clickhouseUrl: optionalText(
    'CLICKHOUSE_URL',
    'http(s) URL of a ClickHouse server; unset: the embedded ClickHouse.',
  ),
  clickhouseCluster: optionalText(
    'CLICKHOUSE_CLUSTER',
    'Name of the cluster whose nodes CLICKHOUSE_URL lists, separated by commas; unset: one server.',
  ),
  clickhouseUser: optionalText('CLICKHOUSE_USER', 'User name, unless CLICKHOUSE_URL contains it.'),
  clickhousePassword: optionalText(
    'CLICKHOUSE_PASSWORD',
    'Password, unless CLICKHOUSE_URL contains it.',
  ),
  clickhouseDatabase: text(
    'CLICKHOUSE_DATABASE',
    'calls_usage',
    'Database; created if it does not exist.',
  ),
  clickhouseMaxOpenConnections: integer(
    'CLICKHOUSE_MAX_OPEN_CONNECTIONS',
    32,
    [1, 1_000],
    'Maximum number of open connections to ClickHouse.',
  ),
  clickhouseTimeoutMs: integer(
    'CLICKHOUSE_TIMEOUT_MS',
    60_000,
    [100, 3_600_000],
    'Timeout of one request to ClickHouse, in milliseconds.',
  ),
  clickhousePingTimeoutMs: integer(
    'CLICKHOUSE_PING_TIMEOUT_MS',
    5_000,
    [100, 600_000],
    'How long `/readyz` and `/health` wait for an answer of ClickHouse, in milliseconds.',
  ),
  clickhouseCompression: boolean(
    'CLICKHOUSE_COMPRESSION',
    false,
    'Compress requests to ClickHouse and its responses.',
  ),
  dataDir: text(
    'DATA_DIR',
    './data',
    'Directory of the embedded ClickHouse and of the generated key.',
  ),
  embeddedHangTimeoutMs: integer(
    'EMBEDDED_HANG_TIMEOUT_MS',
    60_000,
    [1_000, 3_600_000],
    'After how long without any answer the embedded ClickHouse is killed and restarted, in milliseconds.',
  ),
  queryTimeoutMs: integer(
    'QUERY_TIMEOUT_MS',
    30_000,
    [100, 3_600_000],
    'Time limit of one query in ClickHouse, in milliseconds; beyond it 504.',
  ),
  queryMemoryMb: integer(
    'QUERY_MEMORY_MB',
    4_096,
    [16, 1_048_576],
    'Memory limit of one query in ClickHouse, in MiB; beyond it 503.',
  ),
  queryResultRows: integer(
    'QUERY_RESULT_ROWS',
    1_000_000,
    [1, 1_000_000_000],
    'Maximum number of rows in the result of one query.',
  ),
  queryResultMb: integer(
    'QUERY_RESULT_MB',
    256,
    [1, 1_048_576],
    'Maximum size of the result of one query, in MiB.',
  ),
  damageCheckIntervalMs: integer(
    'DAMAGE_CHECK_INTERVAL_MS',
    30_000,
    [100, 3_600_000],
    'Time between two searches for damaged parts of the tables, in milliseconds.',
  ),
  fillChunkRows: integer(
    'FILL_CHUNK_ROWS',
    500_000,
    [1, 1_000_000_000],
    'Rows of `call_parts` that one statement reads when a table is filled from it, after an upgrade or damage.',
  ),
  usageConcurrency: integer(
    'USAGE_CONCURRENCY',
    4,
    [1, 1_000],
    'Maximum number of usage queries in flight, of which one key leaves one to others; requests that queue meanwhile are coalesced.',
  ),
  usageQueueSize: integer(
    'USAGE_QUEUE_SIZE',
    1_000,
    [1, 1_000_000],
    'Maximum number of queued usage requests; beyond it 503, first for the key that has queued most.',
  ),
  queueTimeoutMs: integer(
    'QUEUE_TIMEOUT_MS',
    30_000,
    [1, 3_600_000],
    'How long a usage request, a request for statistics or a read for lists is queued at most, in milliseconds; beyond it 503.',
  ),
  usageBatchIds: integer(
    'USAGE_BATCH_IDS',
    1_000,
    [1, 1_000_000],
    'Maximum number of call ids in one coalesced query.',
  ),
  statsConcurrency: integer(
    'STATS_CONCURRENCY',
    2,
    [1, 1_000],
    'Maximum number of requests for statistics in flight, of which one key leaves one to others.',
  ),
  statsQueueSize: integer(
    'STATS_QUEUE_SIZE',
    100,
    [1, 1_000_000],
    'Maximum number of queued requests for statistics; beyond it 503, first for the key that has queued most.',
  ),
  statsMaxCalls: integer(
    'STATS_MAX_CALLS',
    2_000_000,
    [1, 1_000_000_000],
    'Maximum number of calls in the traces that one request for statistics reads live; beyond it 422.',
  ),
  statsBatchCalls: integer(
    'STATS_BATCH_CALLS',
    250_000,
    [1, 1_000_000_000],
    'Number of calls that one statement reads for statistics, unless a single trace has more.',
  ),
  exportMaxProjects: integer(
    'EXPORT_MAX_PROJECTS',
    1_000,
    [1, 1_000_000],
    'Maximum number of projects in one export; beyond it 422.',
  ),
  listConcurrency: integer(
    'LIST_CONCURRENCY',
    4,
    [1, 1_000],
    'Maximum number of reads for lists of calls in flight, of which one key leaves one to others.',
  ),
  listQueueSize: integer(
    'LIST_QUEUE_SIZE',
    1_000,
    [1, 1_000_000],
    'Maximum number of queued reads for lists of calls; beyond it 503, first for the key that has queued most.',
  ),
  listBatchCalls: integer(
    'LIST_BATCH_CALLS',
    1_000,
    [1, 10_000],
    'Number of calls of a list that are read at a time; fewer where they have large inputs and outputs.',
  ),
  tracesMaxLimit: integer(
    'TRACES_MAX_LIMIT',
    1_000,
    // Not less than the default of `limit`.
    [50, 100_000],
    'Maximum `limit` of a list of traces; beyond it 422.',
  ),
  tracesMaxLive: integer(
    'TRACES_MAX_LIVE',
    20_000,
    [1, 1_000_000],
    'Maximum number of traces without a rollup in a project whose traces are listed; beyond it 422.',
  ),
  projectsMaxLimit: integer(
    'PROJECTS_MAX_LIMIT',
    100,
    // Not less than the default of `limit`.
    [20, 1_000],
    'Maximum `limit` of a list of projects; beyond it 422.',
  ),
  priceCacheRows: integer(
    'PRICE_CACHE_ROWS',
    100_000,
    [0, 100_000_000],
    'Maximum number of prices of projects that are kept in memory; default prices and one project are always kept.',
  ),
  insertFlushIntervalMs: integer(
    'INSERT_FLUSH_INTERVAL_MS',
    100,
    [0, 10_000],
    'How long call parts may wait for others before they are inserted, in milliseconds.',
  ),
  insertBatchRows: integer(
    'INSERT_BATCH_ROWS',
    10_000,
    [1, 1_000_000],
    'Maximum number of rows in an insert that several requests share.',
  ),
  insertBatchMb: integer(
    'INSERT_BATCH_MB',
    8,
    [1, 1_024],
    'Maximum size of an insert that several requests share, in MiB.',
  ),
  insertConcurrency: integer(
    'INSERT_CONCURRENCY',
    4,
    [1, 1_000],
    'Maximum number of inserts in flight.',
  ),
  memoryBudgetMb: integer(
    'MEMORY_BUDGET_MB',
    256,
    [2, 1_048_576],
    'Memory that bodies, rows and answers not yet sent may take together, in MiB; beyond it 503.',
  ),
  memoryBudgetPerKeyMb: integer(
    'MEMORY_BUDGET_PER_KEY_MB',
    128,
    [2, 1_048_576],
    'What the requests of one key may take of MEMORY_BUDGET_MB, in MiB; at least BODY_LIMIT_MB + ITEM_LIMIT_MB.',
  ),
  payloadRetentionDays: integer(
    'PAYLOAD_RETENTION_DAYS',
    0,
    [0, 36_500],
    'How many days inputs, outputs, exceptions and OpenTelemetry spans are kept; 0: they are not stored.',
  ),
  deletionErasureIntervalMs: integer(
    'DELETION_ERASURE_INTERVAL_MS',
    3_600_000,
    [1_000, 86_400_000],
    'Time between two erasures of the texts of deleted calls, in milliseconds.',
  ),
  rollups: boolean(
    'ROLLUPS',
    true,
    'Answer from rollups of traces that no longer change, and make them; false: compute every answer from all calls.',
  ),
  rollupQuietMs: integer(
    'ROLLUP_QUIET_MS',
    5_000,
    [0, 86_400_000],
    'How long a trace must be unchanged before it is rolled up, in milliseconds.',
  ),
  rollupIntervalMs: integer(
    'ROLLUP_INTERVAL_MS',
    1_000,
    [10, 3_600_000],
    'Pause between two searches for traces to roll up, in milliseconds.',
  ),
  rollupBatchCalls: integer(
    'ROLLUP_BATCH_CALLS',
    50_000,
    [1, 10_000_000],
    'Calls that one statement rolls up; a trace with more is rolled up alone.',
  ),
  rollupSearchAllMs: integer(
    'ROLLUP_SEARCH_ALL_MS',
    3_600_000,
    [1_000, 86_400_000],
    'Time after which all traces are searched for lost rollups, not only those that changed, in milliseconds.',
  ),
  bodyLimitMb: integer(
    'BODY_LIMIT_MB',
    64,
    [1, 1_024],
    'Maximum size of a request body after decompression, in MiB; beyond it 413.',
  ),
  queryBodyLimitMb: integer(
    'QUERY_BODY_LIMIT_MB',
    8,
    [1, 1_024],
    'The same for requests that send no calls, such as /calls/usage and /cost/query; BODY_LIMIT_MB if it is smaller.',
  ),
  stubBodyLimitMb: integer(
    'STUB_BODY_LIMIT_MB',
    32,
    [1, 1_024],
    'The same for SDK stubs with JSON bodies, such as /obj/create; BODY_LIMIT_MB if it is smaller.',
  ),
  bodyMaxValues: integer(
    'BODY_MAX_VALUES',
    300_000,
    [1_000, 100_000_000],
    'Maximum number of JSON values in a request body, without the items of batches and the rows of tables; beyond it 413.',
  ),
  itemLimitMb: integer(
    'ITEM_LIMIT_MB',
    4,
    [1, 1_024],
    'Maximum size of one table row, or of one call part without its inputs and output, in MiB; larger items of batches are dropped.',
  ),
  itemMaxValues: integer(
    'ITEM_MAX_VALUES',
    25_000,
    [1_000, 100_000_000],
    'Maximum number of JSON values in one table row, or in one call part without its inputs and output, and of attributes, events and links of a span; larger items are dropped.',
  ),
  otlpMaxSpans: integer(
    'OTLP_MAX_SPANS',
    100_000,
    [1, 10_000_000],
    'Maximum number of OpenTelemetry spans in one request; beyond it 413.',
  ),
  rateLimitPerSecond: integer(
    'RATE_LIMIT_PER_SECOND',
    0,
    [0, 1_000_000],
    'Maximum number of requests per second and key, beyond it 429; 0: no limit.',
  ),
  authFailuresPerMinute: integer(
    'AUTH_FAILURES_PER_MINUTE',
    60,
    [0, 1_000_000],
    'Maximum number of wrong API keys per minute and remote address, beyond it 429; 0: no limit.',
  ),
  corsOrigins: origins(
    'CORS_ORIGINS',
    'Origins whose pages may send requests from a browser, separated by commas; unset: none.',
  ),
  headersTimeoutMs: integer(
    'HEADERS_TIMEOUT_MS',
    15_000,
    [100, 600_000],
    'Time limit for receiving the headers of a request, in milliseconds.',
  ),
  requestTimeoutMs: integer(
    'REQUEST_TIMEOUT_MS',
    120_000,
    [100, 3_600_000],
    'Time limit for receiving a whole request, in milliseconds; beyond it 408.',
  ),
  keepAliveTimeoutMs: integer(
    'KEEP_ALIVE_TIMEOUT_MS',
    65_000,
    [100, 3_600_000],
    'How long an idle connection is kept open, in milliseconds.',
  ),
  maxConnections: integer(
    'MAX_CONNECTIONS',
    2_000,
    [1, 1_000_000],
    'Maximum number of open connections, lowered to what the limit of open files allows.',
  ),
  maxPipelinedRequests: integer(
    'MAX_PIPELINED_REQUESTS',
    16,
    [1, 1_000],
    'Maximum number of requests of one connection that wait for an earlier answer; beyond it, it is closed.',
  ),
  responseStallTimeoutMs: integer(
    'RESPONSE_STALL_TIMEOUT_MS',
    30_000,
    [100, 3_600_000],
    'How long a client may read nothing of its answer before it is cut off, in milliseconds.',
  ),
  drainMs: integer(
    'DRAIN_MS',
    5_000,
    [0, 600_000],
    'How long requests are still accepted after SIGTERM, while `/readyz` is 503, in milliseconds.',
  ),
  shutdownTimeoutMs: integer(
    'SHUTDOWN_TIMEOUT_MS',
    10_000,
    [0, 600_000],
    'How long requests in flight may take when the service stops, in milliseconds.',
  ),
  logLevel: oneOf(
    'LOG_LEVEL',
    'info',
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'Least severe level that is logged.',
  ),
} as const satisfies Record<string, Setting<unknown>>;

interface Setting<T> {
  readonly name: string;
  /** As text, the way it would be set; `undefined` if there is no default. */
  readonly default: string | undefined;
  readonly description: string;
  readonly parse: (text: string) => T;
}

type SettingValues = {
  readonly [K in keyof typeof settingsTable]: (typeof settingsTable)[K] extends Setting<infer T>
    ? T
    : never;
};

export interface Settings extends SettingValues {
  /** Variables of the environment that look like settings but are not, for the log. */
  readonly unknownSettings: readonly UnknownSetting[];
}

/** Invalid settings; each line of the message names one and says what would be right. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Parses all settings. The environment is their only source; an empty value counts as unset.
 * @throws {SettingsError} naming every setting with an invalid value and every unknown `CLICKHOUSE_*` setting: a
 * misspelled `CLICKHOUSE_URL` would otherwise open an empty embedded database
 */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const issues: string[] = [];
  const values = Object.entries(settingsTable).map(([key, setting]) => {
    const value = environment[setting.name] || setting.default;
    try {
      return [key, value === undefined ? undefined : setting.parse(value)];
    } catch (error) {
      issues.push((error as Error).message);
      return [key, undefined];
    }
  });
  issues.push(...budgetIssues(Object.fromEntries(values) as SettingValues));
  const names = Object.values(settingsTable).map(({ name }) => name);
  const unknownSettings = findUnknownSettings(environment, names);
  for (const { message, preventsStart } of unknownSettings) {
    if (preventsStart) issues.push(message);
  }
  if (issues.length > 0) throw new SettingsError(issues.join('\n'));
  return { ...(Object.fromEntries(values) as SettingValues), unknownSettings };
}

/** A share of the budget must have room for the largest body and for the item that is being read. */
function budgetIssues(settings: SettingValues): string[] {
  const { memoryBudgetMb, memoryBudgetPerKeyMb, bodyLimitMb, itemLimitMb } = settings;
  const minimum = bodyLimitMb + itemLimitMb;
  if (memoryBudgetPerKeyMb < minimum) {
    return [
      `MEMORY_BUDGET_PER_KEY_MB is ${memoryBudgetPerKeyMb}; it must be at least ` +
        `BODY_LIMIT_MB + ITEM_LIMIT_MB, which is ${minimum}.`,
    ];
  }
  if (memoryBudgetMb >= memoryBudgetPerKeyMb) return [];
  return [
    `MEMORY_BUDGET_MB is ${memoryBudgetMb}; it must be at least MEMORY_BUDGET_PER_KEY_MB, ` +
      `which is ${memoryBudgetPerKeyMb}.`,
  ];
}

function text(name: string, fallback: string, description: string): Setting<string> {
  return { name, default: fallback, description, parse: (value) => value };
}

function optionalText(name: string, description: string): Setting<string | undefined> {
  return { name, default: undefined, description, parse: (value) => value };
}

function origins(name: string, description: string): Setting<readonly string[] | undefined> {
  const parse = (value: string): readonly string[] => {
    const list = value.split(',').map((origin) => origin.trim());
    const invalid = list.find((origin) => !isOrigin(origin));
    if (invalid === undefined) return list;
    throw new Error(
      `${name} contains ${JSON.stringify(invalid)}; an origin is a scheme, a host and a port ` +
        'that is not the default, such as https://dashboard.example or http://localhost:3000.',
    );
  };
  return { name, default: undefined, description, parse };
}

/** Whether a text is an origin as browsers write it. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function integer(
  name: string,
  fallback: number,
  [min, max]: readonly [number, number],
  description: string,
): Setting<number> {
  const parse = (value: string): number => {
    const number = /^\d+$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    throw new Error(
      `${name} is ${JSON.stringify(value)}; it must be a whole number from ${min} to ${max}.`,
    );
  };
  return { name, default: String(fallback), description, parse };
}

function boolean(name: string, fallback: boolean, description: string): Setting<boolean> {
  const { parse, ...rest } = oneOf(name, String(fallback), ['true', 'false'], description);
  return { ...rest, parse: (value) => parse(value) === 'true' };
}

function oneOf<const T extends string>(
  name: string,
  fallback: T,
  allowed: readonly T[],
  description: string,
): Setting<T> {
  const parse = (value: string): T => {
    const found = allowed.find((each) => each === value);
    if (found !== undefined) return found;
    throw new Error(
      `${name} is ${JSON.stringify(value)}; it must be one of ${allowed.join(', ')}.`,
    );
  };
  return { name, default: fallback, description, parse };
}
