import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { pino } from 'pino';
import { toMaxConnections } from '../../../src/http/connections/bound-connections.ts';
import { readMaxOpenFiles } from '../../../src/open-files.ts';
import { parseSettings } from '../../../src/settings/settings.ts';

const clickhouseUrl = 'http://127.0.0.1:9';

function maxConnections(maxOpenFiles: number, environment: Record<string, string> = {}): number {
  const settings = parseSettings({ CLICKHOUSE_URL: clickhouseUrl, ...environment });
  return toMaxConnections(settings, maxOpenFiles, pino({ level: 'silent' }));
}

test('MAX_CONNECTIONS is lowered to what the limit of open files leaves', () => {
  expect(maxConnections(Infinity)).toBe(2_000);
  expect(maxConnections(1_024)).toBe(1_024 - 64 - 32);
  expect(maxConnections(1_024, { MAX_CONNECTIONS: '10' })).toBe(10);
  expect(maxConnections(1_024, { CLICKHOUSE_MAX_OPEN_CONNECTIONS: '100' })).toBe(1_024 - 64 - 100);
});

test('a limit of open files that leaves no room for connections is refused', () => {
  expect(() => maxConnections(127)).toThrow(/limit of open files is 127; .* at least 128/);
  expect(maxConnections(128)).toBe(32);
  expect(() => maxConnections(511, { CLICKHOUSE_URL: '' })).toThrow(/at least 512/);
});

test('the limit of open files of this process is known', () => {
  expect(readMaxOpenFiles()).toBeGreaterThan(64);
});

test('ulimit -n 64 prevents the start with a message that says what is right', async () => {
  const command = 'ulimit -n 64; exec "$0" --import tsx src/main.ts';
  const [exitCode, output] = await new Promise<[number, string]>((resolve) => {
    const child = execFile(
      'bash',
      ['-c', command, process.execPath],
      { env: { ...process.env, CLICKHOUSE_URL: clickhouseUrl, API_KEYS: 'k', PORT: '0' } },
      (_error, _stdout, stderr) => {
        resolve([child.exitCode ?? 0, stderr]);
      },
    );
  });
  expect(output).toMatch(/^The limit of open files is 64; .*at least 128: raise it with ulimit -n/);
  expect(exitCode).toBe(1);
});
