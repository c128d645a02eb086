import { describe, expect, test } from 'vitest';

import { Batcher, type BatcherOptions } from '../../src/queues/batcher.ts';
import { QueueFullError, QueueWaitError } from '../../src/queues/queue-errors.ts';
import {
  ClickHouseOverloadedError,
  ClickHouseUnavailableError,
} from '../../src/clickhouse/errors.ts';

interface Item {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

type Options = BatcherOptions<Item, string>;

/** A batch in flight; the test ends it. */
interface Batch {
  readonly names: string;
  readonly signal: AbortSignal;
  /** Resolves every item with the names of the batch. */
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** A batcher whose batches are listed in the order in which they start. */
function openBatcher(options: Partial<Options> = {}) {
  const batches: Batch[] = [];
  const batcher = new Batcher<Item, string>({
    queue: 'inserts',
    concurrency: 1,
    maxQueued: Infinity,
    flushIntervalMs: 0,
    maxBatchSize: [10, 1_000],
    sizeOf: ({ rows, bytes }) => [rows, bytes],
    isOrdered: true,
    splitInto: 'halves',
    run: (items, signal) => {
      const names = items.map(({ name }) => name).join('');
      return new Promise((resolve, fail) => {
        batches.push({ names, signal, end: () => resolve(names), fail });
      });
    },
    ...options,
  });
  const add = (name: string, rows = 1, bytes = 1) => {
    const controller = new AbortController();
    const result = batcher.add({ name, rows, bytes }, controller.signal);
    // The test may look at a rejection later than it happens.
    result.catch(() => undefined);
    return { result, abort: () => controller.abort(new Error('aborted')) };
  };
  return { batcher, batches, add, names: () => batches.map(({ names }) => names) };
}

/** Adds items while a first one is in flight, and ends that one: the items are one batch in flight. */
async function openSharedBatch(names: string, options: Partial<Options> = {}) {
  const opened = openBatcher(options);
  opened.add('first');
  const items = Array.from(names, (name) => opened.add(name));
  opened.batches[0]?.end();
  await settle();
  expect(opened.names()).toEqual(['first', names]);
  return { ...opened, items };
}

/** Lets everything that was settled have its effects. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('start of a batch', () => {
  test('a lone item runs at once, each time', async () => {
    const { batches, add, names } = openBatcher({ flushIntervalMs: 10_000 });
    for (const name of 'abc') {
      const { result } = add(name);
      expect(names().at(-1)).toBe(name);
      batches.at(-1)?.end();
      expect(await result).toBe(name);
    }
  });

  test('without a flush interval items run at once until the concurrency is reached', async () => {
    const { batches, add, names } = openBatcher({ concurrency: 2 });
    for (const name of 'abcd') add(name);
    expect(names()).toEqual(['a', 'b']);
    batches[1]?.end();
    await settle();
    expect(names()).toEqual(['a', 'b', 'cd']);
  });

  test('an item that is queued for too long is refused, and one in flight is not', async () => {
    const { batcher, batches, add, names } = openBatcher({ maxWaitMs: 20 });
    const [first, second] = [add('a'), add('b')];
    await expect(second.result).rejects.toBeInstanceOf(QueueWaitError);
    expect(batcher.use()).toEqual({ queued: 0, inFlight: 1, refused: 1 });
    batches[0]?.end();
    expect(await first.result).toBe('a');
    expect(names()).toEqual(['a']);
  });

  test('no more batches are in flight than the concurrency', async () => {
    const { batches, add, names } = openBatcher({ concurrency: 2 });
    for (const name of 'abcd') add(name, 10);
    expect(names()).toEqual(['a', 'b']);
    batches[1]?.end();
    await settle();
    expect(names()).toEqual(['a', 'b', 'c']);
  });

  test('after a batch of several items the next one waits for the flush interval', async () => {
    const { batches, add, names } = openBatcher({ flushIntervalMs: 100 });
    const items = Array.from('abc', (name) => add(name));
    batches[0]?.end();
    await expect.poll(names).toEqual(['a', 'bc']);
    const startedAt = performance.now();
    batches[1]?.end();
    await Promise.all(items.map(({ result }) => result));
    add('d');
    add('e');
    expect(names()).toEqual(['a', 'bc']);
    await expect.poll(names, { interval: 5 }).toEqual(['a', 'bc', 'de']);
    // The poll that saw the second batch may have been 50 ms late.
    expect(performance.now() - startedAt).toBeGreaterThan(40);
  });

  test.each([
    ['rows', 10, 1],
    ['bytes', 1, 1_000],
  ])(
    'a batch whose %s reach the maximum does not wait for the flush interval',
    (_, rows, bytes) => {
      const { add, names } = openBatcher({ flushIntervalMs: 10_000, concurrency: 4 });
      add('a');
      add('b');
      expect(names()).toEqual(['a']);
      add('c', rows, bytes);
      // c does not fit into the batch of b, which therefore is full; c alone is full too.
      expect(names()).toEqual(['a', 'b', 'c']);
    },
  );
});

describe('items of a batch', () => {
  test('items that are queued while a batch is in flight form the next batch, in order', async () => {
    const { batches, items } = await openSharedBatch('bcd');
    batches[1]?.end();
    expect(await Promise.all(items.map(({ result }) => result))).toEqual(['bcd', 'bcd', 'bcd']);
  });

  test('an item is settled only when the batch that contains it ends', async () => {
    const { batches, add, names } = openBatcher();
    let ended = '';
    const first = add('a').result.then(() => (ended += 'a'));
    const second = add('b').result.then(() => (ended += 'b'));
    batches[0]?.end();
    await first;
    await settle();
    expect(names()).toEqual(['a', 'b']);
    expect(ended).toBe('a');
    batches[1]?.end();
    await second;
    expect(ended).toBe('ab');
  });

  test('an item larger than a batch may be is a batch of its own', () => {
    const { add, names } = openBatcher();
    add('a', 1_000, 1_000_000);
    expect(names()).toEqual(['a']);
  });

  test('an ordered batch ends at the first item that does not fit', async () => {
    const { batches, add, names } = openBatcher();
    add('a');
    add('b', 6);
    add('c', 6);
    add('d', 1);
    for (const place of [0, 1]) {
      batches[place]?.end();
      await settle();
    }
    expect(names()).toEqual(['a', 'b', 'cd']);
  });

  test('an unordered batch skips items that do not fit or cannot share it; they keep their order', async () => {
    const canShare: Options['canShare'] = (a, b) => a.name < 'm' === b.name < 'm';
    const { batches, add, names } = openBatcher({ isOrdered: false, canShare });
    add('a');
    add('b', 6);
    add('x', 1);
    add('c', 6);
    add('d', 1);
    add('y', 1);
    for (const place of [0, 1, 2]) {
      batches[place]?.end();
      await settle();
    }
    expect(names()).toEqual(['a', 'bd', 'xy', 'c']);
  });
});

test('an item is refused at once, and counted, when too many are queued', async () => {
  const { batcher, batches, add } = openBatcher({ maxQueued: 1 });
  add('a');
  add('b');
  const refused = add('c').result;
  await expect(refused).rejects.toBeInstanceOf(QueueFullError);
  await expect(refused).rejects.toMatchObject({ queue: 'inserts' });
  expect(batcher.use()).toEqual({ queued: 1, inFlight: 1, refused: 1 });
  batches[0]?.end();
  await settle();
  add('d');
  batches[1]?.end();
  await settle();
  expect(batches.at(-1)?.names).toBe('d');
});

describe('owners of items', () => {
  // Items are named by owner and number, such as a1.
  const fair = {
    ownerOf: ({ name }: Item) => name.slice(0, 1),
    maxBatchSize: [1, 1],
    isOrdered: false,
  };

  test('leave one batch in flight to others, and take turns', async () => {
    const { add, batches, names } = openBatcher({ ...fair, concurrency: 3 });
    for (const name of ['a1', 'a2', 'a3', 'a4']) add(name);
    expect(names()).toEqual(['a1', 'a2']);
    add('b1');
    expect(names()).toEqual(['a1', 'a2', 'b1']);
    add('b2');
    batches[0]?.end();
    await settle();
    expect(names()).toEqual(['a1', 'a2', 'b1', 'a3']);
    batches[2]?.end();
    await settle();
    expect(names()).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
  });

  test('have one batch in flight where only one is allowed', () => {
    const { add, names } = openBatcher(fair);
    add('a1');
    expect(names()).toEqual(['a1']);
  });

  test('lose the youngest item of a full queue to an owner with fewer items', async () => {
    const { add, batcher, batches, names } = openBatcher({ ...fair, maxQueued: 3 });
    add('a0');
    const [a1, a2, a3] = [add('a1'), add('a2'), add('a3')];
    const b1 = add('b1');
    await expect(a3.result).rejects.toThrow(QueueFullError);
    const b2 = add('b2');
    await expect(b2.result).rejects.toThrow(QueueFullError);
    await expect(add('a4').result).rejects.toThrow(QueueFullError);
    expect(batcher.use()).toEqual({ queued: 3, inFlight: 1, refused: 3 });
    for (let batch = 0; batch < 4; batch += 1) {
      batches[batch]?.end();
      await settle();
    }
    expect(names()).toEqual(['a0', 'a1', 'a2', 'b1']);
    expect(await Promise.all([a1.result, a2.result, b1.result])).toEqual(['a1', 'a2', 'b1']);
  });
});

describe('a batch that fails', () => {
  test('is tried again in halves until the item that causes it fails alone', async () => {
    const run: Options['run'] = (items) => {
      const names = items.map(({ name }) => name).join('');
      runs.push(names);
      return names.includes('x') ? Promise.reject(new Error('refused')) : Promise.resolve(names);
    };
    const runs: string[] = [];
    const { add } = openBatcher({ run });
    const results = await Promise.allSettled(Array.from('abcxdef', (name) => add(name).result));
    expect(results.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled'],
      'rejected',
      ...['fulfilled', 'fulfilled', 'fulfilled'],
    ]);
    expect(runs).toEqual(['a', 'bcxdef', 'bcx', 'bc', 'x', 'def']);
  });

  test('is tried again item by item where it is split so', async () => {
    const { batches, items, names } = await openSharedBatch('bc', { splitInto: 'items' });
    batches[1]?.fail(new Error('too long'));
    await settle();
    batches[2]?.end();
    await settle();
    batches[3]?.fail(new Error('too long'));
    expect(names()).toEqual(['first', 'bc', 'b', 'c']);
    await expect(items[0]!.result).resolves.toBe('b');
    await expect(items[1]!.result).rejects.toThrow('too long');
  });

  test('is tried again before what is queued, within the concurrency, joined by no other item', async () => {
    const { batches, add, names } = await openSharedBatch('bcde');
    add('f');
    batches[1]?.fail(new Error('refused'));
    for (const place of [2, 3]) {
      await settle();
      batches[place]?.end();
    }
    await settle();
    expect(names()).toEqual(['first', 'bcde', 'bc', 'de', 'f']);
  });

  test('is tried again in parts that run at the same time if the concurrency allows', async () => {
    const { batches, add, names } = openBatcher({ concurrency: 2 });
    for (const name of 'abcd') add(name);
    batches[0]?.end();
    batches[1]?.end();
    await settle();
    expect(names()).toEqual(['a', 'b', 'cd']);
    batches[2]?.fail(new Error('refused'));
    await settle();
    expect(names()).toEqual(['a', 'b', 'cd', 'c', 'd']);
  });

  test.each([
    ['unavailable', new ClickHouseUnavailableError('down')],
    ['overloaded', new ClickHouseOverloadedError('down')],
  ])('rejects all its items, with no other try, when ClickHouse is %s', async (_, error) => {
    const { batches, items, names } = await openSharedBatch('bc');
    batches[1]?.fail(error);
    for (const { result } of items) await expect(result).rejects.toBe(error);
    expect(names()).toEqual(['first', 'bc']);
  });
});

describe('an item whose signal aborts', () => {
  test('is not queued if that was before', async () => {
    const { batcher, names } = openBatcher();
    const item = { name: 'a', rows: 1, bytes: 1 };
    const added = batcher.add(item, AbortSignal.abort(new Error('aborted')));
    await expect(added).rejects.toThrow('aborted');
    expect(names()).toEqual([]);
  });

  test('leaves the queue and rejects at once', async () => {
    const { batches, add, names } = openBatcher();
    add('a');
    const { result, abort } = add('b');
    abort();
    await expect(result).rejects.toThrow('aborted');
    add('c');
    batches[0]?.end();
    await settle();
    expect(names()).toEqual(['a', 'c']);
  });

  test('no longer counts as queued, neither for the size of a batch nor for the limit', () => {
    const { add, names } = openBatcher({ flushIntervalMs: 10_000, concurrency: 2, maxQueued: 2 });
    add('a');
    add('b', 9).abort();
    add('c', 9);
    expect(names()).toEqual(['a']);
    add('d', 1);
    expect(names()).toEqual(['a', 'cd']);
  });

  test('is not part of a second try', async () => {
    const { batches, items, names } = await openSharedBatch('bcd', { splitInto: 'items' });
    items[0]!.abort();
    batches[1]?.fail(new Error('refused'));
    await settle();
    items[2]!.abort();
    await expect(items[2]!.result).rejects.toThrow('aborted');
    batches[2]?.end();
    await settle();
    expect(names()).toEqual(['first', 'bcd', 'c']);
  });

  test('ends its batch in flight only when the signals of all its items have aborted', async () => {
    const { batches, items } = await openSharedBatch('bc');
    items[0]!.abort();
    await expect(items[0]!.result).rejects.toThrow('aborted');
    expect(batches[1]?.signal.aborted).toBe(false);
    items[1]!.abort();
    expect(batches[1]?.signal.aborted).toBe(true);
  });

  test('never ends a batch that has an item without a signal', async () => {
    const { batcher, batches, add } = openBatcher();
    add('a');
    const { abort } = add('b');
    void batcher.add({ name: 'c', rows: 1, bytes: 1 });
    batches[0]?.end();
    await settle();
    abort();
    expect(batches[1]?.names).toBe('bc');
    expect(batches[1]?.signal.aborted).toBe(false);
  });
});
