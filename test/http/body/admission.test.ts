import { once } from 'node:events';
import { brotliCompressSync, constants } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../../support/fixtures.ts';
import { type TestService, testKey } from '../../support/http/service.ts';
import { continueAnswer, toRequestHead, useTcpClient } from '../../support/http/tcp-client.ts';
import type { Project } from '../../support/usage-client.ts';

const otherKey = 'another-key-of-the-tests';
const mebibyte = 1_048_576;

/** What one key may hold, and a body of which two fit into it. */
const shareMb = 16;
const bodyMb = 7;

const settings = {
  API_KEYS: `${testKey},${otherKey}`,
  BODY_LIMIT_MB: '8',
  ITEM_LIMIT_MB: '1',
  MEMORY_BUDGET_PER_KEY_MB: String(shareMb),
  MEMORY_BUDGET_MB: String(2 * shareMb),
};
const client = usageClientFixture(settings);

/** A batch whose rows take about as much memory as its text. */
function batchOf(project: Project, id: string, megabytes: number): Buffer {
  const callBytes = 65_536;
  const attributes = { text: 'x'.repeat(callBytes) };
  const batch = Array.from({ length: Math.floor((megabytes * mebibyte) / callBytes) - 1 }, (_, n) =>
    project.completeCall({ id: `${id}-${n}` }, { attributes }),
  );
  return Buffer.from(JSON.stringify({ batch }));
}

/** A request whose body is sent in pieces. */
async function openUpload({ url }: TestService, project: Project, body: Buffer) {
  const { socket, received } = await useTcpClient(url);
  socket.write(toRequestHead(`/v2/${project.id}/calls/complete`, body.length));
  while (!received().includes(continueAnswer)) await once(socket, 'data');
  const status = (): number | undefined => {
    const [, digits] = /^HTTP\/1\.1 (\d+) /.exec(received().slice(continueAnswer.length)) ?? [];
    return digits === undefined ? undefined : Number(digits);
  };
  return {
    received,
    status,
    send: (from: number, to: number) => socket.write(body.subarray(from, to)),
    sendText: (text: string) => socket.write(text),
    close: () => socket.destroy(),
    answered: async (): Promise<number | undefined> => {
      await expect.poll(status).toBeDefined();
      return status();
    },
  };
}

/** What the bodies of batches hold. */
async function heldBytes(service: TestService): Promise<number> {
  const { text } = await service.send('/metrics');
  return Number(/^calls_usage_memory_held_bytes\{class="ingest"\} (\d+)$/m.exec(text)?.[1]);
}

test('of eight large batches of one key that arrive together the first are stored, the others get 503', async () => {
  const project = client.newProject();
  const bodies = Array.from({ length: 8 }, (_, index) => batchOf(project, `${index}`, bodyMb));
  const uploads = [];
  for (const body of bodies) uploads.push(await openUpload(client.service, project, body));
  const pieceBytes = 262_144;
  const { length } = bodies[0]!;
  for (let from = 0; from < length; from += pieceBytes) {
    for (const { send } of uploads) send(from, Math.min(from + pieceBytes, length - 1));
  }
  const fitting = Math.floor(shareMb / bodyMb);
  const refused = uploads.slice(fitting);
  const statuses = await Promise.all(refused.map(({ answered }) => answered()));
  expect(statuses).toEqual(refused.map(() => 503));
  for (const { received } of refused) {
    expect(received().toLowerCase()).toContain('retry-after: 1');
    expect(received()).toContain('all memory that one key may take');
  }

  const first = uploads.slice(0, fitting);
  for (const { send } of first) send(length - 1, length);
  const stored = await Promise.all(first.map(({ answered }) => answered()));
  expect(stored, first.map(({ received }) => received()).join()).toEqual(first.map(() => 200));
  await expect.poll(() => heldBytes(client.service)).toBe(0);
});

test('a younger body that takes the memory and then stops gets 503, an older one goes on', async () => {
  const project = client.newProject();
  const body = batchOf(project, 'old', bodyMb);
  const old = await openUpload(client.service, project, body);
  old.send(0, mebibyte);
  const slow = [
    await openUpload(client.service, project, body),
    await openUpload(client.service, project, body),
  ];
  for (const { send } of slow) send(0, body.length - 1);
  await expect.poll(() => heldBytes(client.service)).toBeGreaterThan(2 * bodyMb * mebibyte);

  old.send(mebibyte, body.length);

  expect(await old.answered()).toBe(200);
  expect(await slow[1]!.answered()).toBe(503);
  expect(slow[0]!.status()).toBeUndefined();

  // The rest of the refused body is discarded, so that its connection can be used again.
  slow[1]!.send(body.length - 1, body.length);
  slow[1]!.sendText('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
  await expect.poll(slow[1]!.received).toMatch(/HTTP\/1\.1 200 /);
});

test('slow bodies keep no other key out, and requests of their own key as long as they are open', async () => {
  const project = client.newProject();
  const body = batchOf(project, 'slow', bodyMb);
  const slow = [
    await openUpload(client.service, project, body),
    await openUpload(client.service, project, body),
  ];
  for (const { send } of slow) send(0, body.length - 1);
  await expect.poll(() => heldBytes(client.service)).toBeGreaterThan((2 * bodyMb - 1) * mebibyte);

  const send = (key: string) =>
    client.service.send(`/v2/${project.id}/calls/complete`, { body, key });
  expect((await send(otherKey)).status).toBe(200);
  expect((await send(testKey)).status).toBe(503);
  expect(slow.map(({ status }) => status())).toEqual([undefined, undefined]);

  for (const { close } of slow) close();
  await expect.poll(() => heldBytes(client.service)).toBe(0);
  expect((await send(testKey)).status).toBe(200);
});

test('what a brotli decompressor allocates counts, although nothing of the body was decompressed yet', async () => {
  const windowBits = 22;
  const params = { [constants.BROTLI_PARAM_LGWIN]: windowBits };
  const body = brotliCompressSync(Buffer.alloc(bodyMb * mebibyte, ' '), { params });
  const uploads: Awaited<ReturnType<typeof useTcpClient>>[] = [];
  for (let index = 0; index < 8; index += 1) {
    const { socket, received } = await useTcpClient(client.service.url);
    const type = 'application/json\r\ncontent-encoding: br';
    socket.write(toRequestHead('/call/upsert_batch', body.length, type));
    socket.write(body.subarray(0, 10));
    uploads.push({ socket, received });
  }
  const countRefused = () =>
    uploads.filter(({ received }) => received().includes('HTTP/1.1 503 ')).length;
  const fitting = (shareMb * mebibyte) / 2 ** windowBits;
  await expect.poll(countRefused).toBe(uploads.length - fitting);

  for (const { socket } of uploads) socket.destroy();
  await expect.poll(() => heldBytes(client.service)).toBe(0);
});

describe('when the time limit of a slow body is over', () => {
  const impatient = usageClientFixture({ ...settings, REQUEST_TIMEOUT_MS: '2000' });

  test('it gets 408, and holds nothing any more', async () => {
    const project = impatient.newProject();
    const body = batchOf(project, 'slow', bodyMb);
    const slow = await openUpload(impatient.service, project, body);
    slow.send(0, body.length - 1);
    expect(await slow.answered()).toBe(408);
    await expect.poll(() => heldBytes(impatient.service)).toBe(0);
  });
});
