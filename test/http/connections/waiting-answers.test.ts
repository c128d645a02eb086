import { expect, test } from 'vitest';
import { readMetrics, valueOf } from '../../support/http/metrics.ts';
import { basicAuthorization, testKey, useService } from '../../support/http/service.ts';
import { useTcpClient } from '../../support/http/tcp-client.ts';

const otherKey = 'another-key-of-the-tests';
/** Room for two bodies of 18 MB and one answer, not for two. */
const settings = {
  API_KEYS: `${testKey},${otherKey}`,
  ...{ MEMORY_BUDGET_PER_KEY_MB: '60', BODY_LIMIT_MB: '20', ITEM_LIMIT_MB: '1' },
};

/** Its answer has the payload again, of which the buffers of both sockets hold less than a half. */
const feedback = {
  ...{ project_id: 'a/b', weave_ref: 'x', feedback_type: 'x' },
  payload: { text: 'x'.repeat(18_000_000) },
};

test('an answer that waits for its client counts in the memory of its key: its next large answer is 503, other keys go on', async () => {
  const service = await useService(settings);
  const create = { body: feedback };
  const whole = await service.send('/feedback/create', create);
  expect([whole.status, whole.text.length > 18_000_000]).toEqual([200, true]);

  const { socket } = await useTcpClient(service.url);
  socket.pause();
  const body = JSON.stringify(create.body);
  socket.write(
    `POST /feedback/create HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n` +
      `authorization: ${basicAuthorization(testKey)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const read = async (name: string): Promise<number | undefined> =>
    valueOf(await readMetrics(service), name, { class: 'response' });
  await expect.poll(() => socket.bytesRead + socket.readableLength).toBeGreaterThan(0);
  await expect.poll(() => read('calls_usage_memory_held_bytes')).toBeGreaterThan(8_000_000);
  const refused = await service.send('/feedback/create', create);
  expect([refused.status, refused.json()]).toEqual([
    503,
    { detail: 'The requests of this key take all memory that one key may take; try again.' },
  ]);
  expect(refused.headers.get('retry-after')).not.toBeNull();
  expect(await read('calls_usage_memory_refused_total')).toBe(1);
  expect((await service.send('/feedback/create', { ...create, key: otherKey })).status).toBe(200);

  socket.destroy();
  await expect.poll(() => read('calls_usage_memory_held_bytes')).toBe(0);
  const again = await service.send('/feedback/create', create);
  expect([again.status, again.text.length]).toEqual([200, whole.text.length]);
});
