import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { disconnectSignal } from '../../src/http/context.ts';
import { SettingsError } from '../../src/settings.ts';
import { basicAuthorization, openService, testKey, useService } from '../support/service.ts';

/** A connection of the test's own, and everything that came over it. */
async function useSocket(url: string): Promise<{ socket: Socket; received: () => string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return { socket, received: () => text };
}

/** A request whose body is to follow; the service answers `100 Continue` to it at once. */
function headOf(path: string, length: number): string {
  return (
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${basicAuthorization(testKey)}\r\n` +
    `content-type: application/json\r\ncontent-length: ${String(length)}\r\n` +
    'expect: 100-continue\r\n\r\n'
  );
}

const inFlight = 'HTTP/1.1 100 Continue\r\n\r\n';

test('a port that is taken is said to be, with the way out', async () => {
  const { url } = await useService();
  const taken = openService({ PORT: new URL(url).port });
  await expect(taken).rejects.toThrow(SettingsError);
  await expect(taken).rejects.toThrow(/PORT \d+ on HOST 127\.0\.0\.1 is taken.*set PORT/);
});

test('a host that is not of this machine is said to be none', async () => {
  await expect(openService({ HOST: '192.0.2.1' })).rejects.toThrow(/192\.0\.2\.1 is no address/);
});

test('the service listens on IPv6 loopback too', async () => {
  const service = await useService({ HOST: '::1' });
  expect(service.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await service.send('/server_info')).status).toBe(200);
});

test('without keys the service prints the one it made, and never logs it', async () => {
  const service = await useService({ API_KEYS: '' });
  const key = /: (\S+)$/.exec(service.printed[0] ?? '')?.[1] ?? '';

  expect((await service.send('/server_info', { key })).status).toBe(200);
  expect(JSON.stringify(service.logLines())).not.toContain(key);
});

test.each([
  ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /, 'Bad Request'],
  [
    'headers beyond 16 KiB',
    `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`,
    /^HTTP\/1\.1 431 /,
    'Request Header Fields Too Large',
  ],
])('%s is answered in the shape of every other error', async (_what, request, status, detail) => {
  const service = await useService();
  const { socket, received } = await useSocket(service.url);
  socket.write(request);
  await once(socket, 'end');

  expect(received()).toMatch(status);
  expect(received()).toMatch(/x-request-id: [0-9a-f-]{36}\r\n/);
  expect(received()).toContain(JSON.stringify({ detail }));
  expect((await service.send('/server_info')).status).toBe(200);
});

test.each([
  ['headers', { HEADERS_TIMEOUT_MS: '100' }, 'GET /health HTTP/1.1\r\n'],
  [
    'a body',
    { HEADERS_TIMEOUT_MS: '100', REQUEST_TIMEOUT_MS: '200' },
    `${headOf('/calls/usage', 100)}{"proj`,
  ],
])('a client that is too slow with %s is let go with 408', async (_what, settings, request) => {
  const service = await useService(settings);
  const { socket, received } = await useSocket(service.url);
  socket.write(request);
  await once(socket, 'end');

  expect(received().replace(inFlight, '')).toMatch(/^HTTP\/1\.1 408 /);
  expect(received()).toContain('{"detail":"Request Timeout"}');
  expect((await service.send('/server_info')).status).toBe(200);
});

test('a client that hangs up while it sends is logged as gone, not as an error', async () => {
  const service = await useService();
  const { socket } = await useSocket(service.url);
  socket.write(`${headOf('/calls/usage', 1_000)}{"project_id`);
  socket.resetAndDestroy();

  const lines = () => service.logLines().filter(({ msg }) => msg === 'request');
  await expect.poll(lines).toMatchObject([{ status: 499, level: 30, route: '/calls/usage' }]);
  expect(lines()[0]).not.toHaveProperty('error');
});

test('a client that hangs up before its answer fires the signal of its request', async () => {
  const app = express();
  const signals: AbortSignal[] = [];
  app.get('/slow', (_request, response) => void signals.push(disconnectSignal(response)));
  app.get('/quick', (_request, response) => {
    signals.push(disconnectSignal(response));
    response.end();
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;

  const hungUp = new AbortController();
  const slow = fetch(`${url}/slow`, { signal: hungUp.signal });
  await expect.poll(() => signals.length).toBe(1);
  hungUp.abort();
  await expect(slow).rejects.toThrow();
  await expect.poll(() => signals[0]?.aborted).toBe(true);

  await (await fetch(`${url}/quick`)).text();
  server.closeAllConnections();
  await once(server.close(), 'close');
  expect(signals[1]?.aborted).toBe(false);
});

test('closing finishes the request under way, on a connection that then ends', async () => {
  const service = await openService();
  const { socket, received } = await useSocket(service.url);
  const body = JSON.stringify({ obj: { project_id: 'a/b', object_id: 'o', val: 1 } });
  socket.write(headOf('/obj/create', body.length) + body.slice(0, 10));
  await expect.poll(received).toBe(inFlight);

  const closed = service.close();
  socket.write(body.slice(10));
  await once(socket, 'end');
  await closed;

  expect(received()).toContain('HTTP/1.1 200 ');
  expect(received().toLowerCase()).toContain('connection: close');
  expect(received()).toContain('"digest"');
});

test('a request that comes while the service closes is refused with 503', async () => {
  const service = await openService();
  const { socket, received } = await useSocket(service.url);
  socket.write('GET /server_info HTTP/1.1\r\n');
  await untilArrived(service);

  const closed = service.close();
  socket.write(`host: x\r\nauthorization: ${basicAuthorization(testKey)}\r\n\r\n`);
  await once(socket, 'end');
  await closed;

  expect(received()).toMatch(/^HTTP\/1\.1 503 /);
  expect(received()).toContain('{"detail":"The service is stopping."}');
  expect(received().toLowerCase()).toContain('retry-after: 1');
});

test('closing ends connections that idle, and listens no more', async () => {
  const service = await openService();
  const { socket, received } = await useSocket(service.url);
  socket.write(
    `GET /server_info HTTP/1.1\r\nhost: x\r\nauthorization: ${basicAuthorization(testKey)}\r\n\r\n`,
  );
  await expect.poll(received).toContain('trace_server_version');

  await Promise.all([once(socket, 'end'), service.close()]);

  await expect(fetch(service.url)).rejects.toThrow();
});

test('a request that never ends is cut off after SHUTDOWN_TIMEOUT_MS', async () => {
  const service = await openService({ SHUTDOWN_TIMEOUT_MS: '50' });
  const { socket, received } = await useSocket(service.url);
  socket.write(`${headOf('/obj/create', 1_000)}{`);
  await expect.poll(received).toBe(inFlight);

  await Promise.all([once(socket, 'close'), service.close()]);

  expect(received()).toBe(inFlight);
});

/** Resolves when what was written to another connection before has surely reached the service. */
async function untilArrived(service: { url: string }): Promise<void> {
  for (let round = 0; round < 5; round += 1) await (await fetch(`${service.url}/health`)).text();
}
