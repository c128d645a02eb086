import { describe, expect, test } from 'vitest';
import { ClickHouseUnavailableError } from '../src/clickhouse/errors.ts';
import { NotReadyError, Readiness, unreadyReasons, type UnreadyCode } from '../src/readiness.ts';
import { tableOf, readText, uncoded } from './support/markdown.ts';

const answers = (): Promise<void> => Promise.resolve();

test('a reason holds from its report until it is withdrawn, with the detail reported last', async () => {
  const readiness = new Readiness(answers);
  expect(await readiness.findReason()).toBeUndefined();
  readiness.report('rebuilding', 'first');
  readiness.report('rebuilding', 'second');
  expect(await readiness.findReason()).toEqual({ code: 'rebuilding', detail: 'second' });
  readiness.withdraw('rebuilding');
  expect(await readiness.findReason()).toBeUndefined();
});

test('of several reasons the first of the documented table counts', async () => {
  const documented = tableOf(readText('docs/api.md'), 'reason').map(([code = '']) => uncoded(code));
  expect(documented).toEqual(Object.keys(unreadyReasons));

  const readiness = new Readiness(() => Promise.reject(new ClickHouseUnavailableError('down')));
  const found: (string | undefined)[] = [];
  for (const code of [...documented].reverse() as UnreadyCode[]) {
    if (code !== 'clickhouse_unavailable') readiness.report(code, code);
    found.push((await readiness.findReason())?.code);
  }
  expect(found).toEqual([...documented].reverse());
});

test('an error of the ping other than an unavailable ClickHouse is not taken for one', async () => {
  const readiness = new Readiness(() => Promise.reject(new TypeError('a bug')));
  await expect(readiness.findReason()).rejects.toThrow(TypeError);
});

test('draining makes the service not ready, and no request fails for it', async () => {
  const readiness = new Readiness(answers);
  readiness.report('draining', 'd');
  expect(await readiness.findReason()).toMatchObject({ code: 'draining' });
  expect(await readiness.findFailure()).toBeUndefined();
});

describe('the documented requests are refused, and no others:', () => {
  const documented = tableOf(readText('docs/api.md'), 'reason').map(
    ([code = '', , refused = '']) => ({ code: uncoded(code) as UnreadyCode, refused }),
  );

  test.each(documented.filter(({ code }) => code !== 'clickhouse_unavailable'))(
    '$code: $refused',
    ({ code, refused }) => {
      const readiness = new Readiness(answers);
      readiness.report(code as 'stopping', 'the detail');
      const isRefused = (require: () => void): boolean => {
        try {
          require();
          return false;
        } catch (error) {
          expect(error).toBeInstanceOf(NotReadyError);
          expect(error).toHaveProperty('message', 'the detail');
          return true;
        }
      };
      const all = isRefused(() => readiness.requireRunning());
      const reads = isRefused(() => readiness.requireReads());
      expect({ all, reads }).toEqual({
        all: refused === 'all',
        reads: !refused.startsWith('none'),
      });
    },
  );
});
