import { expect, test } from 'vitest';
import { readMetrics, valueOf } from '../../support/http/metrics.ts';
import { basicAuthorization, testKey, useService } from '../../support/http/service.ts';
import { useTcpClient } from '../../support/http/tcp-client.ts';

const otherKey = 'another-key-of-the-tests';
/** Room for two bodies of 26 MB and one answer: a body has 64 bytes for each value. */
const settings = {
  API_KEYS: `${testKey},${otherKey}`,
  ...{ MEMORY_BUDGET_PER_KEY_MB: '70', BODY_LIMIT_MB: '8', ITEM_LIMIT_MB: '1' },
  BODY_MAX_VALUES: '1000000',
};

/** Its answer has 46 bytes for each row: 18 MB, of which the buffers of both sockets hold less than a half. */
const table = { project_id: 'a/b', rows: Array.from({ length: 400_000 }, () => 1) };

test('an answer that waits for its client counts in the memory of its key: its next large answer is 503, other keys go on', async () => {
  const service = await useService(settings);
  const create = { body: { table } };
  const whole = await service.send('/table/create', create);
  expect([whole.status, whole.text.length > 18_000_000]).toEqual([200, true]);

  const { socket } = await useTcpClient(service.url);
  socket.pause();
  const body = JSON.stringify(create.body);
  socket.write(
    `POST /table/create HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n` +
      `authorization: ${basicAuthorization(testKey)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const read = async (name: string): Promise<number | undefined> =>
    valueOf(await readMetrics(service), name, { class: 'response' });
  await expect.poll(() => socket.bytesRead + socket.readableLength).toBeGreaterThan(0);
  await expect.poll(() => read('calls_usage_memory_held_bytes')).toBeGreaterThan(8_000_000);
  const refused = await service.send('/table/create', create);
  expect([refused.status, refused.json()]).toEqual([
    503,
    { detail: 'The requests of this key take all memory that one key may take; try again.' },
  ]);
  expect(refused.headers.get('retry-after')).not.toBeNull();
  expect(await read('calls_usage_memory_refused_total')).toBe(1);
  expect((await service.send('/table/create', { ...create, key: otherKey })).status).toBe(200);

  socket.destroy();
  await expect.poll(() => read('calls_usage_memory_held_bytes')).toBe(0);
  expect((await service.send('/table/create', create)).text).toBe(whole.text);
});
