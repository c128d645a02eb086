import { expect, test } from 'vitest';
import { readTogether } from '../../../src/usage/query/read-together.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();

/** Resolves once the signal has aborted, with its reason. */
async function waitForAbort(signal: AbortSignal): Promise<unknown> {
  return await new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason));
  });
}

test('answers in the order of the reads, whichever is first', async () => {
  const parameters = { project_id: 'p/none', call_ids: [] };
  const results = await readTogether<[object[], string]>(new AbortController().signal, [
    (signal) => database.clickhouse.read('count_orphan_ends', parameters, { signal }),
    () => Promise.resolve('earlier'),
  ]);
  expect(results).toEqual([[{ orphan_ends: '0' }], 'earlier']);
});

test('a read that fails aborts the others, and none is running any more when its error arrives', async () => {
  const error = new Error('failed');
  const events: unknown[] = [];
  const together = readTogether<[never, unknown]>(new AbortController().signal, [
    () => Promise.reject(error),
    async (signal) => {
      events.push(await waitForAbort(signal));
      await database.clickhouse.ping();
      events.push('ended');
      throw new Error('later');
    },
  ]);
  await expect(together).rejects.toBe(error);
  expect(events).toEqual([error, 'ended']);
});

test('a query is cancelled when another one fails', async () => {
  const parameters = { project_id: 'p/none', call_ids: [] };
  let other: Promise<unknown> = Promise.resolve();
  const together = readTogether(new AbortController().signal, [
    (signal) => (other = database.clickhouse.read('count_orphan_ends', parameters, { signal })),
    () => database.clickhouse.read('count_orphan_ends', {}),
  ]);
  await expect(together).rejects.toThrow('parameter project_id is missing');
  await expect(other).rejects.toThrow('parameter project_id is missing');
});

test.each(['before', 'while'])(
  'all reads are aborted with a request that ends %s they run',
  async (when) => {
    const request = new AbortController();
    const reason = new Error('disconnected');
    if (when === 'before') request.abort(reason);
    const toRead = async (signal: AbortSignal): Promise<unknown> => {
      throw signal.aborted ? signal.reason : await waitForAbort(signal);
    };
    const together = readTogether(request.signal, [toRead, toRead]);
    request.abort(reason);
    await expect(together).rejects.toBe(reason);
  },
);
