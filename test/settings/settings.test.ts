import { describe, expect, test } from 'vitest';
import { parseSettings, SettingsError } from '../../src/settings/settings.ts';
import { settingsTable } from '../../src/settings/settings-table.ts';
import { serviceFixture } from '../support/fixtures.ts';

describe('values', () => {
  test('an empty environment gives every setting its default', () => {
    const settings = Object.entries(parseSettings({}));

    const defaults = Object.entries(settingsTable).map(([key, setting]) => [key, setting.default]);
    const texts = settings.map(([key, value]) => [
      key,
      typeof value === 'object' || value === undefined ? undefined : String(value),
    ]);
    expect(texts).toEqual([...defaults, ['unknownSettings', undefined]]);
  });

  test('each value has the type of its setting', () => {
    const settings = parseSettings({
      HOST: '::1',
      PORT: '0',
      CLICKHOUSE_COMPRESSION: 'true',
      LOG_LEVEL: 'debug',
    });

    expect(settings).toMatchObject({
      host: '::1',
      port: 0,
      clickhouseCompression: true,
      logLevel: 'debug',
    });
  });

  test('an empty value counts as unset', () => {
    const settings = parseSettings({ PORT: '', API_KEYS: '', CLICKHOUSE_COMPRESSION: '' });

    expect(settings).toEqual(parseSettings({}));
  });

  test.each(['-1', '65536', '1.5', '1e3', '0x10', ' 8080', '8080 ', '８０８０', 'http'])(
    'a whole number is not taken from %j',
    (value) => {
      expect(() => parseSettings({ PORT: value })).toThrow(
        `PORT is ${JSON.stringify(value)}; it must be a whole number from 0 to 65535.`,
      );
    },
  );

  test('minimum and maximum themselves are allowed', () => {
    expect(parseSettings({ PORT: '65535', INSERT_FLUSH_INTERVAL_MS: '0' })).toMatchObject({
      port: 65_535,
      insertFlushIntervalMs: 0,
    });
  });

  test('all invalid values are reported at once, each with what would be right', () => {
    const environment = {
      PORT: 'http',
      QUERY_MEMORY_MB: '15',
      LOG_LEVEL: 'verbose',
      CLICKHOUSE_COMPRESSION: 'yes',
      CLICKHOUSE_URI: 'http://127.0.0.1:8123',
    };

    const messages = readError(environment).message.split('\n');

    expect(messages).toEqual([
      'PORT is "http"; it must be a whole number from 0 to 65535.',
      'CLICKHOUSE_COMPRESSION is "yes"; it must be one of true, false.',
      'QUERY_MEMORY_MB is "15"; it must be a whole number from 16 to 1048576.',
      'LOG_LEVEL is "verbose"; it must be one of fatal, error, warn, info, debug, trace, silent.',
      'CLICKHOUSE_URI is not a setting; did you mean CLICKHOUSE_URL?',
    ]);
  });
});

describe('unknown settings', () => {
  test.each([
    ['USAGE_CONCURENCY', 'USAGE_CONCURRENCY'],
    ['USAGE_READINGS', 'USAGE_CONCURRENCY'],
    ['USAGE_WAITING', 'USAGE_QUEUE_SIZE'],
    ['USAGE_SHARED_IDS', 'USAGE_BATCH_IDS'],
    ['INSERT_WINDOW_MS', 'INSERT_FLUSH_INTERVAL_MS'],
    ['INSERT_ROWS', 'INSERT_BATCH_ROWS'],
    ['INSERT_MB', 'INSERT_BATCH_MB'],
    ['INSERTS_AT_ONCE', 'INSERT_CONCURRENCY'],
    ['REQUESTS_PER_SECOND', 'RATE_LIMIT_PER_SECOND'],
    ['HEADER_TIMEOUT', 'HEADERS_TIMEOUT_MS'],
    ['KEEPALIVE_TIMEOUT_MS', 'KEEP_ALIVE_TIMEOUT_MS'],
    ['API_KEY', 'API_KEYS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['DATA_DIRS', 'DATA_DIR'],
  ])('%s is reported with %s among the suggestions', (name, suggestion) => {
    const { unknownSettings } = parseSettings({ [name]: '1' });

    expect(unknownSettings.map((unknown) => unknown.name)).toEqual([name]);
    expect(unknownSettings[0]?.message).toMatch(
      new RegExp(`^${name} is not a setting; did you mean .*\\b${suggestion}\\b.*\\?$`),
    );
  });

  test('a typo is answered with the one setting that was meant', () => {
    const [unknown] = parseSettings({ USAGE_CONCURENCY: '8' }).unknownSettings;

    expect(unknown?.message).toBe(
      'USAGE_CONCURENCY is not a setting; did you mean USAGE_CONCURRENCY?',
    );
  });

  test.each([
    ['CLICKHOUSE_URI', 'CLICKHOUSE_URL'],
    ['CLICKHOSE_URL', 'CLICKHOUSE_URL'],
    ['CLICKHOUSE_HOST', 'CLICKHOUSE_URL'],
    ['CLICKHOUSE_PORT', 'CLICKHOUSE_URL'],
    ['CLICKHOUSE_USERNAME', 'CLICKHOUSE_USER'],
    ['CLICKHOUSE_POOL', 'CLICKHOUSE_MAX_OPEN_CONNECTIONS'],
  ])('%s prevents the start, with %s among the suggestions', (name, suggestion) => {
    expect(readError({ [name]: '9000' }).message).toMatch(
      new RegExp(`^${name} is not a setting; did you mean .*\\b${suggestion}\\b.*\\?$`),
    );
  });

  test('variables of the official ClickHouse image are reported and do not prevent the start', () => {
    const { unknownSettings } = parseSettings({
      CLICKHOUSE_DB: 'calls',
      CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT: '1',
    });

    expect(unknownSettings.map(({ name }) => name)).toEqual([
      'CLICKHOUSE_DB',
      'CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT',
    ]);
  });

  test.each([
    [
      'a shell',
      {
        HOME: '/root',
        HOST_IP: '::1',
        PORT_8080: '1',
        HOSTNAME: 'web-1',
        PATH: '/bin',
        PWD: '/',
        POST: '1',
      },
    ],
    [
      'other programs',
      {
        API_URL: 'x',
        DATA_PATH: 'x',
        LOG_FORMAT: 'json',
        REQUIREMENTS: 'x',
        REQUESTS_CA_BUNDLE: 'x',
      },
    ],
    [
      'Kubernetes for a service that is named clickhouse',
      {
        CLICKHOUSE_SERVICE_HOST: '10.0.0.1',
        CLICKHOUSE_SERVICE_PORT: '8123',
        CLICKHOUSE_SERVICE_PORT_HTTP: '8123',
        CLICKHOUSE_PORT: 'tcp://10.0.0.1:8123',
        CLICKHOUSE_PORT_8123_TCP: 'tcp://10.0.0.1:8123',
        CLICKHOUSE_PORT_8123_TCP_PROTO: 'tcp',
        CLICKHOUSE_PORT_8123_TCP_PORT: '8123',
        CLICKHOUSE_PORT_8123_TCP_ADDR: '10.0.0.1',
      },
    ],
    ['an unknown setting without a value', { CLICKHOUSE_URI: '', USAGE_READINGS: undefined }],
  ])('variables of %s are not reported', (_whose, environment) => {
    expect(parseSettings(environment).unknownSettings).toEqual([]);
  });

  test('no setting is reported as unknown when all are set', () => {
    const environment = Object.values(settingsTable).map((setting) => [
      setting.name,
      setting.default ?? 'http://x',
    ]);

    expect(
      parseSettings(Object.fromEntries(environment) as Record<string, string>).unknownSettings,
    ).toEqual([]);
  });
});

describe('a service that starts with an unknown setting', () => {
  const service = serviceFixture({ USAGE_CONCURENCY: '8', INSERT_WINDOW_MS: '50' });

  test('logs one warning for each', () => {
    const warnings = service.logLines().filter(({ setting }) => setting !== undefined);

    expect(warnings).toEqual([
      expect.objectContaining({
        level: 40,
        setting: 'USAGE_CONCURENCY',
        msg: 'USAGE_CONCURENCY is not a setting; did you mean USAGE_CONCURRENCY?',
      }),
      expect.objectContaining({ level: 40, setting: 'INSERT_WINDOW_MS' }),
    ]);
  });
});

function readError(environment: Readonly<Record<string, string>>): SettingsError {
  try {
    parseSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error;
  }
  throw new Error('the settings were accepted');
}
