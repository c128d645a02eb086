import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isRunning, readProcessId } from '../support/clickhouse/embedded-clickhouse.ts';
import { clickhouseFixture } from '../support/fixtures.ts';
import {
  basicAuthorization,
  clickhouseUnavailable,
  testKey,
  useService,
} from '../support/http/service.ts';
import { nodeArgumentsOf } from '../support/package/npm-command.ts';
import { continueAnswer, toRequestHead, useTcpClient } from '../support/http/tcp-client.ts';

/** Runs what `npm start` runs, with an unavailable ClickHouse unless the environment sets another. */
async function startMain(environment: Readonly<Record<string, string>>) {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-main-'));
  const main = spawn(process.execPath, nodeArgumentsOf('start'), {
    cwd: new URL('../../', import.meta.url),
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      API_KEYS: testKey,
      DATA_DIR: dataDir,
      ...clickhouseUnavailable,
      ...environment,
    },
  });
  onTestFinished(async () => {
    main.kill('SIGKILL');
    await rm(dataDir, { recursive: true });
  });
  const output = { stdout: '', stderr: '' };
  main.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  main.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const exit = once(main, 'exit').then(([code]) => code as number | null);
  const waitForUrl = async (): Promise<string> => {
    await expect.poll(() => output.stdout).toContain('"listening"');
    return /"url":"([^"]+)"/.exec(output.stdout)?.[1] ?? '';
  };
  return { main, output, exit, waitForUrl, dataDir };
}

test.each([
  ['an invalid setting', { PORT: 'http' }, /^PORT is "http"; it must be/],
  [
    'a public address and no API key',
    { HOST: '0.0.0.0', API_KEYS: '' },
    /Set API_KEYS or API_KEYS_FILE/,
  ],
  [
    'an API_KEYS_FILE that does not exist',
    { API_KEYS_FILE: '/no/such/file' },
    /^API_KEYS_FILE \/no\/such\/file/,
  ],
  ['a CLICKHOUSE_URL that is not a URL', { CLICKHOUSE_URL: 'not a URL' }, /CLICKHOUSE_URL/],
  [
    'a misspelled CLICKHOUSE_URL',
    { CLICKHOUSE_URI: 'http://127.0.0.1' },
    /mean CLICKHOUSE_URL\?$/m,
  ],
])(
  'with %s the service exits with a message and without a stack trace',
  async (_, settings, message) => {
    const { exit, output } = await startMain(settings);

    expect(await exit).toBe(1);
    expect(output.stderr).toMatch(message);
    expect(output.stderr).not.toMatch(/^ +at /m);
  },
);

test('on a port in use the service exits with one line that names the port', async () => {
  const { url } = await useService();
  const { exit, output } = await startMain({ PORT: new URL(url).port });

  expect(await exit).toBe(1);
  expect(output.stderr).toMatch(/^PORT \d+ on HOST 127\.0\.0\.1 is in use[^\n]*\n$/);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s shuts the service down with exit code 0',
  async (signal) => {
    const { main, exit, waitForUrl, output } = await startMain({});
    const url = await waitForUrl();
    expect((await fetch(`${url}/health`)).status).toBe(503);

    main.kill(signal);

    expect(await exit).toBe(0);
    expect(output.stdout).toContain('"stopped"');
    expect(output.stderr).toBe('');
  },
);

test('a second signal ends the process immediately with exit code 1', async () => {
  const { main, exit, waitForUrl } = await startMain({ SHUTDOWN_TIMEOUT_MS: '600000' });
  const url = await waitForUrl();
  const { socket, received } = await useTcpClient(url);
  socket.write(toRequestHead('/obj/create', 9));
  await expect.poll(received).toBe(continueAnswer);

  main.kill('SIGTERM');
  await expect.poll(() => readStatus(url)).toBe('stopping');
  main.kill('SIGTERM');

  expect(await exit).toBe(1);
});

describe('with a ClickHouse', () => {
  const database = clickhouseFixture();

  test('SIGTERM drains for DRAIN_MS first, SIGINT does not', async () => {
    const { main, exit, waitForUrl } = await startMain({
      ...{ ...database.environment, DRAIN_MS: '600000' },
    });
    const url = await waitForUrl();
    await expect.poll(() => readStatus(url)).toBe('ok');
    main.kill('SIGTERM');
    await expect.poll(() => readStatus(url)).toBe('draining');
    main.kill('SIGTERM');
    expect(await exit).toBe(1);

    const other = await startMain({ ...database.environment, DRAIN_MS: '600000' });
    const otherUrl = await other.waitForUrl();
    await expect.poll(() => readStatus(otherUrl)).toBe('ok');
    other.main.kill('SIGINT');
    expect(await other.exit).toBe(0);
  });
});

test('with an embedded ClickHouse that hangs, SIGTERM ends the service within the grace period, and nothing of it is left', async () => {
  const [drainMs, shutdownTimeoutMs, stopTimeoutMs] = [500, 1_000, 10_000];
  const { main, dataDir, exit, output, waitForUrl } = await startMain({
    ...{ CLICKHOUSE_URL: '', DRAIN_MS: String(drainMs) },
    SHUTDOWN_TIMEOUT_MS: String(shutdownTimeoutMs),
  });
  const url = await waitForUrl();
  await expect.poll(() => readStatus(url), { timeout: 30_000 }).toBe('ok');
  const clickhouse = await readProcessId(dataDir);
  onTestFinished(() => {
    if (isRunning(clickhouse)) process.kill(clickhouse, 'SIGKILL');
  });
  process.kill(clickhouse, 'SIGSTOP');
  const headers = {
    authorization: basicAuthorization(testKey),
    'content-type': 'application/json',
  };
  const body = JSON.stringify({ project_id: 'a/b', call_ids: ['a'] });
  const hanging = Array.from({ length: 20 }, () =>
    fetch(`${url}/calls/usage`, { method: 'POST', headers, body }).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await expect.poll(() => readStatus(url), { timeout: 10_000 }).toBe('clickhouse_unavailable');

  const startedAt = performance.now();
  main.kill('SIGTERM');
  expect(await exit).toBe(0);
  const tookMs = performance.now() - startedAt;
  expect(tookMs).toBeGreaterThan(drainMs);
  expect(tookMs).toBeLessThan(drainMs + shutdownTimeoutMs + stopTimeoutMs + 1_500);
  expect((await Promise.all(hanging)).every((status) => status === 0 || status === 503)).toBe(true);
  expect(output.stderr).toBe('');
  expect(isRunning(clickhouse)).toBe(false);
});

test('SIGHUP reads API_KEYS_FILE again, and keeps the keys when it is invalid', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-keys-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'keys.json');
  const writeKeys = (...names: string[]) => writeFile(file, JSON.stringify(toKeysFile(names)));
  await writeKeys('first', 'second');
  const { main, exit, output, waitForUrl } = await startMain({ API_KEYS_FILE: file });
  const url = await waitForUrl();
  const statusOf = async (key: string): Promise<number> => {
    const headers = { authorization: basicAuthorization(key) };
    return (await fetch(`${url}/server_info`, { headers })).status;
  };
  const statuses = () => Promise.all(['first', 'second', 'third'].map(statusOf));
  expect(await statuses()).toEqual([200, 200, 401]);

  await writeKeys('second', 'third');
  main.kill('SIGHUP');
  await expect.poll(() => output.stdout).toContain('"read the API keys again"');
  expect(await statuses()).toEqual([401, 200, 200]);

  await writeFile(file, '{"keys": [');
  main.kill('SIGHUP');
  await expect.poll(() => output.stdout).toContain('"the API keys stay as they are"');
  expect(output.stdout).toContain('it is not JSON');
  expect(await statuses()).toEqual([401, 200, 200]);

  main.kill('SIGTERM');
  expect(await exit).toBe(0);
});

function toKeysFile(names: readonly string[]): object {
  const keys = names.map((name) => ({
    name,
    sha256: createHash('sha256').update(name).digest('hex'),
    projects: ['*'],
    rights: ['read'],
  }));
  return { keys };
}

/** `status` in the answer of /readyz. */
async function readStatus(url: string): Promise<string> {
  const answer = await fetch(`${url}/readyz`);
  return ((await answer.json()) as { status: string }).status;
}
