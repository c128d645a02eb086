import { once } from 'node:events';
import { expect, test } from 'vitest';
import { usageClientFixture } from '../../support/fixtures.ts';
import { continueAnswer, toRequestHead, useTcpClient } from '../../support/http/tcp-client.ts';

const client = usageClientFixture();

test('four sockets that declare bodies of 64 MB and send none leave ingestion undisturbed', async () => {
  const { service } = client;
  const project = client.newProject();
  for (let index = 0; index < 4; index += 1) {
    const { socket, received } = await useTcpClient(service.url);
    socket.write(toRequestHead('/call/upsert_batch', 67_108_864));
    while (!received().includes(continueAnswer)) await once(socket, 'data');
  }
  const path = `/v2/${project.id}/calls/complete`;
  for (const id of ['a', 'b', 'c']) {
    const body = { batch: [project.completeCall({ id })] };
    expect((await service.send(path, { body })).status).toBe(200);
  }
});

test('a declared length beyond the limit of the route is refused before the body is sent', async () => {
  const { socket, received } = await useTcpClient(client.service.url);
  socket.write(toRequestHead('/calls/usage', 8 * 1_048_576 + 1));
  while (!received().includes('\r\n\r\n{') && !received().includes('413')) {
    await once(socket, 'data');
  }
  expect(received()).toContain(' 413 ');
});
