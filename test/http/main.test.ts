import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  basicAuthorization,
  clickhouseUnavailable,
  testKey,
  useService,
} from '../support/service.ts';

/** `npm start` with an engine that is away, and what it wrote. */
async function start(environment: Readonly<Record<string, string>>) {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-main-'));
  const main = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
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
  const written = { out: '', err: '' };
  main.stdout.on('data', (chunk: Buffer) => (written.out += chunk.toString()));
  main.stderr.on('data', (chunk: Buffer) => (written.err += chunk.toString()));
  const exit = once(main, 'exit').then(([code]) => code as number | null);
  const listening = async (): Promise<string> => {
    await expect.poll(() => written.out).toContain('"listening"');
    return /"url":"([^"]+)"/.exec(written.out)?.[1] ?? '';
  };
  return { main, written, exit, listening };
}

test.each([
  ['a setting that cannot be used', { PORT: 'http' }, /^PORT is "http"; it takes/],
  ['no key off loopback', { HOST: '0.0.0.0', API_KEYS: '' }, /Set API_KEYS or API_KEYS_FILE/],
  ['no keys file', { API_KEYS_FILE: '/no/such/file' }, /^API_KEYS_FILE \/no\/such\/file/],
  ['no address of ClickHouse', { CLICKHOUSE_URL: 'not an address' }, /CLICKHOUSE_URL/],
])('with %s the service does not start and says why, plainly', async (_what, settings, message) => {
  const { exit, written } = await start(settings);

  expect(await exit).toBe(1);
  expect(written.err).toMatch(message);
  expect(written.err).not.toMatch(/^ +at /m);
});

test('on a port that is taken the service does not start and says so, plainly', async () => {
  const { url } = await useService();
  const { exit, written } = await start({ PORT: new URL(url).port });

  expect(await exit).toBe(1);
  expect(written.err).toMatch(/^PORT \d+ on HOST 127\.0\.0\.1 is taken[^\n]*\n$/);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends the service in order', async (signal) => {
  const { main, exit, listening, written } = await start({});
  const url = await listening();
  expect((await fetch(`${url}/health`)).status).toBe(503);

  main.kill(signal);

  expect(await exit).toBe(0);
  expect(written.out).toContain('"stopped"');
  expect(written.err).toBe('');
});

test('a second signal ends the service at once', async () => {
  const { main, exit, listening } = await start({ SHUTDOWN_TIMEOUT_MS: '600000' });
  const { hostname, port } = new URL(await listening());
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(
    `POST /obj/create HTTP/1.1\r\nhost: x\r\nauthorization: ${basicAuthorization(testKey)}\r\n` +
      'content-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n',
  );
  await once(socket, 'data');

  main.kill('SIGTERM');
  await expect.poll(() => refusesConnections(hostname, Number(port))).toBe(true);
  main.kill('SIGTERM');

  expect(await exit).toBe(1);
});

/** Whether nothing listens there. */
function refusesConnections(hostname: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => {
      resolve(true);
    });
  });
}
