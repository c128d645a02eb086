import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { disconnectSignal } from '../../../src/http/open-request.ts';
import { SettingsError } from '../../../src/settings/settings.ts';
import {
  basicAuthorization,
  openService,
  testKey,
  useService,
} from '../../support/http/service.ts';
import { continueAnswer, toRequestHead, useTcpClient } from '../../support/http/tcp-client.ts';

test('a port in use is reported with the setting to change', async () => {
  const { url } = await useService();
  const second = openService({ PORT: new URL(url).port });
  await expect(second).rejects.toThrow(SettingsError);
  await expect(second).rejects.toThrow(/PORT \d+ on HOST 127\.0\.0\.1 is in use.*set PORT/);
});

test('a HOST of another machine is reported', async () => {
  await expect(openService({ HOST: '192.0.2.1' })).rejects.toThrow(
    /192\.0\.2\.1 is not an address/,
  );
});

test('the service can listen on IPv6 loopback', async () => {
  const service = await useService({ HOST: '::1' });
  expect(service.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await service.send('/server_info')).status).toBe(200);
});

test('without API keys the service prints the generated key and never logs it', async () => {
  const service = await useService({ API_KEYS: '' });
  const key = /: (\S+)$/.exec(service.printed[0] ?? '')?.[1] ?? '';

  expect((await service.send('/server_info', { key })).status).toBe(200);
  expect(JSON.stringify(service.logLines())).not.toContain(key);
});

test.each([
  ['a request that is not HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /, 'Bad Request'],
  [
    'a request with more than 16 KiB of headers',
    `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`,
    /^HTTP\/1\.1 431 /,
    'Request Header Fields Too Large',
  ],
  ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n', /^HTTP\/1\.1 405 /, 'Method Not Allowed'],
])('%s is answered with JSON and a request id', async (_what, request, status, detail) => {
  const service = await useService();
  const { socket, received } = await useTcpClient(service.url);
  socket.write(request);
  await once(socket, 'end');

  expect(received()).toMatch(status);
  expect(received()).toMatch(/x-request-id: [0-9a-f-]{36}\r\n/);
  expect(received()).toContain(JSON.stringify({ detail }));
  expect((await service.send('/server_info')).status).toBe(200);
});

test.each([
  ['without Host', 'a: b', 400, 'The request has no Host header.'],
  [
    'with an unknown expectation',
    'host: x\r\nexpect: foo',
    417,
    'The only supported expectation is 100-continue.',
  ],
])('a request %s is answered with JSON and logged', async (_what, headers, status, detail) => {
  const service = await useService();
  const { socket, received } = await useTcpClient(service.url);
  socket.write(`GET /health HTTP/1.1\r\n${headers}\r\nconnection: close\r\n\r\n`);
  await once(socket, 'end');

  expect(received()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  const [, id = ''] = /x-request-id: ([0-9a-f-]{36})\r\n/i.exec(received()) ?? [];
  expect(received()).toContain(JSON.stringify({ detail }));
  expect(service.logLines()).toContainEqual(expect.objectContaining({ status, request_id: id }));
});

test.each([
  ['headers', { HEADERS_TIMEOUT_MS: '100' }, 'GET /health HTTP/1.1\r\n'],
  [
    'a body',
    { HEADERS_TIMEOUT_MS: '100', REQUEST_TIMEOUT_MS: '200' },
    `${toRequestHead('/calls/usage', 100)}{"proj`,
  ],
])(
  'a client that sends %s too slowly is answered with 408 and disconnected',
  async (_what, settings, request) => {
    const service = await useService(settings);
    const { socket, received } = await useTcpClient(service.url);
    socket.write(request);
    await once(socket, 'end');

    expect(received().replace(continueAnswer, '')).toMatch(/^HTTP\/1\.1 408 /);
    expect(received()).toContain('{"detail":"Request Timeout"}');
    // On a busy machine, this request may take too long as well.
    await expect.poll(async () => (await service.send('/server_info')).status).toBe(200);
  },
);

test('a client that sends too slowly and does not close is disconnected all the same', async () => {
  const service = await useService({ HEADERS_TIMEOUT_MS: '100', REQUEST_TIMEOUT_MS: '200' });
  const { port } = new URL(service.url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let error: NodeJS.ErrnoException | undefined;
  socket.on('error', (each) => (error = each));
  socket.write(`${toRequestHead('/calls/usage', 1_000_000)}{`);
  socket.resume();
  await once(socket, 'end');

  await expect
    .poll(() => {
      if (error === undefined) socket.write(' ');
      return error?.code;
    })
    .toMatch(/^(ECONNRESET|EPIPE)$/);
});

test('beyond MAX_CONNECTIONS the longest idle connection is closed, and the others are served', async () => {
  const service = await useService({ MAX_CONNECTIONS: '2' });
  const idle = await useTcpClient(service.url);
  const clients = [await useTcpClient(service.url), await useTcpClient(service.url)];
  if (!idle.socket.closed) await once(idle.socket, 'close');

  for (const { socket, received } of clients) {
    socket.write('GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(received).toMatch(/^HTTP\/1\.1 401 /);
  }
  expect(service.logLines()).toContainEqual(
    expect.objectContaining({ msg: 'dropped connections', max_connections: 2, dropped: 1 }),
  );
});

test('a connection beyond MAX_CONNECTIONS is closed itself while the others have requests in flight', async () => {
  const service = await useService({ MAX_CONNECTIONS: '2' });
  const uploads = [await useTcpClient(service.url), await useTcpClient(service.url)];
  for (const { socket, received } of uploads) {
    socket.write(toRequestHead('/calls/usage', 2));
    await expect.poll(received).toBe(continueAnswer);
  }
  const refused = await useTcpClient(service.url);
  if (!refused.socket.closed) await once(refused.socket, 'close');

  for (const { socket, received } of uploads) {
    socket.write('{}');
    await expect.poll(received).toContain('HTTP/1.1 422 ');
  }
});

// Only Linux has all of 127.0.0.0/8 without configuration.
test.runIf(process.platform === 'linux')(
  'a client that opens more than MAX_CONNECTIONS closes no connection of another address',
  async () => {
    const service = await useService({ HEADERS_TIMEOUT_MS: '120000' });
    const other = await useTcpClient(service.url, '127.0.0.2');
    const sockets: Socket[] = [];
    // Together they would not fit into the queue of the operating system.
    while (sockets.length < 2_500) {
      const opened = await Promise.all(
        Array.from({ length: 100 }, () => useTcpClient(service.url)),
      );
      sockets.push(...opened.map(({ socket }) => socket));
      await service.send('/livez');
    }
    await expect
      .poll(() => sockets.filter(({ closed }) => closed).length)
      .toBeGreaterThanOrEqual(501);

    expect(other.socket.closed).toBe(false);
    other.socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(other.received).toMatch(/^HTTP\/1\.1 200 /);
    expect((await service.send('/server_info')).status).toBe(200);
  },
);

test('a client that disconnects while sending is logged with status 499, not as an error', async () => {
  const service = await useService();
  const { socket } = await useTcpClient(service.url);
  socket.write(`${toRequestHead('/calls/usage', 1_000)}{"project_id`);
  socket.resetAndDestroy();

  const lines = () => service.logLines().filter(({ msg }) => msg === 'request');
  await expect.poll(lines).toMatchObject([{ status: 499, level: 30, route: '/calls/usage' }]);
  expect(lines()[0]).not.toHaveProperty('error');
});

test('the disconnect signal of a request aborts when the client disconnects before its answer', async () => {
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

  const client = new AbortController();
  const slow = fetch(`${url}/slow`, { signal: client.signal });
  await expect.poll(() => signals.length).toBe(1);
  client.abort();
  await expect(slow).rejects.toThrow();
  await expect.poll(() => signals[0]?.aborted).toBe(true);

  await (await fetch(`${url}/quick`)).text();
  server.closeAllConnections();
  await once(server.close(), 'close');
  expect(signals[1]?.aborted).toBe(false);
});

test('closing the service answers the request in flight, then ends its connection', async () => {
  const service = await openService();
  const { socket, received } = await useTcpClient(service.url);
  const body = JSON.stringify({ obj: { project_id: 'a/b', object_id: 'o', val: 1 } });
  socket.write(toRequestHead('/obj/create', body.length) + body.slice(0, 10));
  await expect.poll(received).toBe(continueAnswer);

  const closed = service.close();
  socket.write(body.slice(10));
  await once(socket, 'end');
  await closed;

  expect(received()).toContain('HTTP/1.1 200 ');
  expect(received().toLowerCase()).toContain('connection: close');
  expect(received()).toContain('"digest"');
});

test('a request that arrives while the service closes is refused with 503', async () => {
  const service = await openService();
  const { socket, received } = await useTcpClient(service.url);
  socket.write('GET /server_info HTTP/1.1\r\n');
  await waitUntilRead(service);

  const closed = service.close();
  socket.write(`host: x\r\nauthorization: ${basicAuthorization(testKey)}\r\n\r\n`);
  await once(socket, 'end');
  await closed;

  expect(received()).toMatch(/^HTTP\/1\.1 503 /);
  expect(received()).toContain('{"detail":"The service is stopping."}');
  expect(received().toLowerCase()).toContain('retry-after: 1');
});

test('closing the service ends idle connections and stops listening', async () => {
  const service = await openService();
  const { socket, received } = await useTcpClient(service.url);
  socket.write(
    `GET /server_info HTTP/1.1\r\nhost: x\r\nauthorization: ${basicAuthorization(testKey)}\r\n\r\n`,
  );
  await expect.poll(received).toContain('trace_server_version');

  await Promise.all([once(socket, 'end'), service.close()]);

  await expect(fetch(service.url)).rejects.toThrow();
});

test('a request that never ends is disconnected after SHUTDOWN_TIMEOUT_MS', async () => {
  const service = await openService({ SHUTDOWN_TIMEOUT_MS: '50' });
  const { socket, received } = await useTcpClient(service.url);
  socket.write(`${toRequestHead('/obj/create', 1_000)}{`);
  await expect.poll(received).toBe(continueAnswer);

  await Promise.all([once(socket, 'close'), service.close()]);

  expect(received()).toBe(continueAnswer);
});

/** Resolves when the service has read what was written to another connection before: later requests are answered. */
async function waitUntilRead(service: { url: string }): Promise<void> {
  for (let round = 0; round < 5; round += 1) await (await fetch(`${service.url}/health`)).text();
}
