import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { openService, type TestService } from '../../support/http/service.ts';
import { toRequestHead, useTcpClient } from '../../support/http/tcp-client.ts';

const database = clickhouseFixture();
const drainMs = 1_500;

function toCall(id: string): object {
  return {
    ...{ project_id: 'team/drain', id, trace_id: id, op_name: 'op', attributes: {}, inputs: {} },
    ...{ started_at: '2026-01-01T00:00:00Z', ended_at: '2026-01-01T00:00:01Z', summary: {} },
  };
}

interface Sent {
  readonly acknowledged: string[];
  /** When and how requests failed: a status, or the error of the connection. */
  readonly failures: { readonly at: number; readonly why: string }[];
}

/** Sends one call after another, until the service refuses connections. */
async function sendCalls(service: TestService, client: number, sent: Sent): Promise<void> {
  for (let count = 0; ; count += 1) {
    const id = `${client}-${count}`;
    try {
      const body = { batch: [toCall(id)] };
      const { status, text } = await service.send('/v2/team/drain/calls/complete', { body });
      if (status === 200) sent.acknowledged.push(id);
      else sent.failures.push({ at: performance.now(), why: `${status} ${text}` });
    } catch (error) {
      sent.failures.push({ at: performance.now(), why: String(error) });
      return;
    }
  }
}

test('under 8 clients, no request fails before DRAIN_MS is over, and nothing acknowledged is lost', async () => {
  const service = await openService({ ...database.environment, DRAIN_MS: String(drainMs) });
  await service.ready;
  const sent: Sent = { acknowledged: [], failures: [] };
  const clients = Array.from({ length: 8 }, (_, client) => sendCalls(service, client, sent));
  await expect.poll(() => sent.acknowledged.length).toBeGreaterThan(16);

  const before = sent.acknowledged.length;
  const drainedAt = performance.now() + drainMs;
  const drained = service.drain();
  const [ready, health, live] = await Promise.all(
    ['/readyz', '/health', '/livez'].map((path) => service.send(path)),
  );
  await drained;
  await Promise.all(clients);

  expect(ready).toMatchObject({ status: 503 });
  expect(ready?.json()).toMatchObject({ status: 'draining' });
  expect([health?.status, live?.status]).toEqual([200, 200]);
  expect(ready?.headers.get('connection')).toBe('close');
  // A timer may fire a millisecond early.
  const early = sent.failures.filter(({ at }) => at < drainedAt - 1);
  expect(early).toEqual([]);
  expect(sent.acknowledged.length).toBeGreaterThan(before);
  const rows = await database.query<{ id: string }>('SELECT DISTINCT id FROM call_parts');
  const stored = new Set(rows.map(({ id }) => id));
  expect(sent.acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  await service.close();
});

test('while requests in flight finish, new ones are refused with 503, and /livez answers', async () => {
  const service = await openService({ ...database.environment, DRAIN_MS: '0' });
  await service.ready;
  const { socket, received } = await useTcpClient(service.url);
  const body = JSON.stringify({ obj: { project_id: 'a/b', object_id: 'o', val: 1 } });
  socket.write(toRequestHead('/obj/create', body.length));
  await expect.poll(received).toContain('100 Continue');

  const drained = service.drain();
  await expect.poll(async () => (await service.send('/server_info')).status).toBe(503);
  const refused = await service.send('/server_info');
  expect(refused.json()).toEqual({ detail: 'The service is stopping.' });
  expect(refused.headers.get('connection')).toBe('close');
  expect((await service.send('/livez')).status).toBe(200);
  expect((await service.send('/health')).json()).toMatchObject({ status: 'stopping' });
  socket.write(body);
  await drained;
  await expect.poll(received).toContain('HTTP/1.1 200 ');
  await expect(fetch(service.url)).rejects.toThrow();
  await service.close();
});
