import { once } from 'node:events';
import { expect, test } from 'vitest';
import { basicAuthorization, testKey, useService } from '../../support/http/service.ts';
import { useTcpClient } from '../../support/http/tcp-client.ts';

const authorization = `authorization: ${basicAuthorization(testKey)}`;

function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nhost: x\r\n${authorization}\r\n${headers}\r\n`;
}

test('pipelined requests are answered in order, those that are refused as well', async () => {
  const service = await useService();
  const { socket, received } = await useTcpClient(service.url);
  const paths = ['/openapi.json', '/no/such/path', '/docs', '/calls/usage', '/livez'];
  socket.write(
    paths.map((path) => get(path)).join('') + get('/server_info', 'connection: close\r\n'),
  );
  await once(socket, 'end');

  const statuses = [...received().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);
  expect(statuses).toEqual(['200', '404', '200', '405', '200', '200']);
});

test('a connection with more pipelined requests than MAX_PIPELINED_REQUESTS is closed', async () => {
  const service = await useService();
  const clients = await Promise.all(Array.from({ length: 20 }, () => useTcpClient(service.url)));
  await Promise.all(
    clients.map(async ({ socket }) => {
      socket.write(get('/openapi.json').repeat(5_000));
      if (!socket.closed) await once(socket, 'close');
    }),
  );

  const requests = service.logLines().filter(({ msg }) => msg === 'request');
  expect(requests.length).toBeLessThanOrEqual(clients.length);
  expect((await service.send('/server_info')).status).toBe(200);
});

test('a pipelined request whose connection is closed before its turn is not handled', async () => {
  const service = await useService();
  const { socket } = await useTcpClient(service.url);
  const body = '{"project_id":"a/b","call_ids":["c"]}';
  const unfinished =
    `POST /calls/usage HTTP/1.1\r\nhost: x\r\n${authorization}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.write(`${get('/livez')}${unfinished}${body.slice(0, -1)}`);
  await once(socket, 'data');
  socket.resetAndDestroy();

  const lines = () => service.logLines().filter(({ msg }) => msg === 'request');
  await expect.poll(lines).toMatchObject([{ route: '/livez' }, { status: 499 }]);
  const metrics = await service.send('/metrics');
  expect(metrics.text).toMatch(/^calls_usage_memory_held_bytes\{class="query"\} 0$/m);
});
