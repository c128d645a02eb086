import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { basicAuthorization, testKey, useService } from '../../support/http/service.ts';
import { useTcpClient } from '../../support/http/tcp-client.ts';

/** An answer of about 16 MB, more than the buffers of both sockets hold. */
const rows = 200_000;

const timeoutMs = 1_500;
const settings = { RESPONSE_STALL_TIMEOUT_MS: String(timeoutMs) };

test('an answer that its client does not read is cut off and logged', async () => {
  const service = await useService(settings);
  const { socket } = await startAnswer(service);
  socket.pause();

  const cutOff = { msg: 'cut off an answer that its client does not read', timeout_ms: timeoutMs };
  await expect.poll(() => service.logLines()).toContainEqual(expect.objectContaining(cutOff));
  await expect
    .poll(() => service.logLines())
    .toContainEqual(expect.objectContaining({ msg: 'request', status: 499 }));
});

test('an answer that its client reads slowly is sent whole', async () => {
  const service = await useService(settings);
  const { socket, received } = await startAnswer(service);
  const startedAt = performance.now();
  // More than the system's buffers keep from the service is read after each pause.
  let nextPauseAt = 0;
  socket.on('data', () => {
    if (socket.bytesRead < nextPauseAt) return;
    nextPauseAt = socket.bytesRead + 2_000_000;
    socket.pause();
    setTimeout(() => socket.resume(), timeoutMs / 3);
  });
  await once(socket, 'end');

  expect(performance.now() - startedAt).toBeGreaterThan(2 * timeoutMs);
  expect(received()).toContain(`"original_index":${rows - 1}}`);
  expect(JSON.stringify(service.logLines())).not.toContain('cut off');
});

/** Requests the rows of a table; the connection ends after the answer. */
async function startAnswer(service: Awaited<ReturnType<typeof useService>>): Promise<{
  readonly socket: Socket;
  readonly received: () => string;
}> {
  const table = { project_id: 'a/b', rows: Array.from({ length: rows }, () => 1) };
  const created = await service.send('/table/create', { body: { table } });
  const { digest } = created.json() as { digest: string };
  const client = await useTcpClient(service.url);
  const body = JSON.stringify({ project_id: 'a/b', digest });
  client.socket.write(
    `POST /table/query HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `authorization: ${basicAuthorization(testKey)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return client;
}
