import { describe, expect, test } from 'vitest';
import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
} from '../../src/clickhouse/errors.ts';
import { rollUp } from '../../src/usage/roll-up.ts';
import { coalesceQueries } from '../../src/usage/coalesce-queries.ts';
import type { UsageParameters } from '../../src/usage/query-usage.ts';

/** A reading under way; the test ends it. */
interface Reading {
  readonly parameters: UsageParameters;
  readonly signal: AbortSignal;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** Readings in the order in which they begin. */
function openReadings(concurrency: number, more: { waiting?: number; callIds?: number } = {}) {
  const readings: Reading[] = [];
  const limits = { concurrency, waiting: 100, callIds: 100, ...more };
  const read = coalesceQueries(
    (parameters, signal) =>
      new Promise((resolve, reject) => {
        readings.push({ parameters, signal, end: () => resolve(rollUp([])), fail: reject });
      }),
    limits,
  );
  const ask = (call_ids: readonly string[], other: Partial<UsageParameters> = {}) => {
    const controller = new AbortController();
    const parameters = { project_id: 'p', include_costs: true, ...other, call_ids };
    const answer = read(parameters, controller.signal);
    // A rejection that the test looks at later is no unhandled one.
    answer.catch(() => undefined);
    return { answer, leave: () => controller.abort(new Error('left')) };
  };
  const idsRead = (): (readonly string[])[] => readings.map((one) => one.parameters.call_ids);
  return { readings, ask, idsRead };
}

/** Lets everything that was settled be noticed. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('questions', () => {
  test('are read at once while readings are free', () => {
    const { ask, idsRead } = openReadings(2);
    ask(['a']);
    ask(['b']);
    ask(['c']);
    expect(idsRead()).toEqual([['a'], ['b']]);
  });

  test('that wait are read as one, each id once', async () => {
    const { readings, ask, idsRead } = openReadings(1);
    const first = ask(['a']);
    const others = [ask(['b', 'c']), ask(['c', 'd']), ask(['a'])];
    readings[0]?.end();
    await first.answer;
    await settle();
    expect(idsRead()).toEqual([['a'], ['b', 'c', 'd', 'a']]);
    readings[1]?.end();
    const answers = await Promise.all(others.map(({ answer }) => answer));
    expect(new Set(answers).size).toBe(1);
  });

  test('of other projects, without costs, or of too many calls are read apart, in order', async () => {
    const { readings, ask, idsRead } = openReadings(1, { callIds: 3 });
    ask(['a']);
    ask(['b', 'c']);
    ask(['d'], { project_id: 'other' });
    ask(['e'], { include_costs: false });
    ask(['f', 'g']);
    ask(['h']);
    for (let place = 0; place < 5; place += 1) {
      readings[place]?.end();
      await settle();
    }
    expect(idsRead()).toEqual([['a'], ['b', 'c', 'h'], ['d'], ['e'], ['f', 'g']]);
  });

  test('are refused when too many wait', async () => {
    const { ask } = openReadings(1, { waiting: 1 });
    ask(['a']);
    ask(['b']);
    await expect(ask(['c']).answer).rejects.toBeInstanceOf(ClickHouseOverloadedError);
  });
});

describe('a reading that fails', () => {
  test('is tried again for each of its questions alone', async () => {
    const { readings, ask, idsRead } = openReadings(1);
    ask(['a']);
    const [good, bad] = [ask(['b']), ask(['c'])];
    readings[0]?.end();
    await settle();
    readings[1]?.fail(new Error('too long'));
    await settle();
    readings[2]?.end();
    await settle();
    readings[3]?.fail(new Error('too long'));
    expect(idsRead()).toEqual([['a'], ['b', 'c'], ['b'], ['c']]);
    await expect(good.answer).resolves.toBeDefined();
    await expect(bad.answer).rejects.toThrow('too long');
  });

  test('is not tried again where ClickHouse is away', async () => {
    const { readings, ask, idsRead } = openReadings(1);
    ask(['a']);
    const waiting = [ask(['b']), ask(['c'])];
    readings[0]?.end();
    await settle();
    readings[1]?.fail(new ClickHouseUnavailableError('away'));
    for (const { answer } of waiting) await expect(answer).rejects.toThrow('away');
    expect(idsRead()).toHaveLength(2);
  });
});

describe('a question whose client leaves', () => {
  test('is not read any more', async () => {
    const { readings, ask, idsRead } = openReadings(1);
    ask(['a']);
    const gone = ask(['b']);
    gone.leave();
    await expect(gone.answer).rejects.toThrow('left');
    ask(['c']);
    readings[0]?.end();
    await settle();
    expect(idsRead()).toEqual([['a'], ['c']]);
  });

  test('ends its reading only when nobody else waits for that', async () => {
    const { readings, ask } = openReadings(1);
    ask(['a']);
    const [one, two] = [ask(['b']), ask(['c'])];
    readings[0]?.end();
    await settle();
    one.leave();
    await expect(one.answer).rejects.toThrow('left');
    expect(readings[1]?.signal.aborted).toBe(false);
    two.leave();
    expect(readings[1]?.signal.aborted).toBe(true);
  });
});
