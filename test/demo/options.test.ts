import { describe, expect, test } from 'vitest';
import { parseOptions, UsageError } from '../../demo/options.ts';

describe('the command line of the demo', () => {
  test('keeps the service running unless --once is given', () => {
    expect(parseOptions([])).toEqual({ once: false, help: false });
    expect(parseOptions(['--once'])).toEqual({ once: true, help: false });
    expect(parseOptions(['-h'])).toEqual({ once: false, help: true });
  });

  test.each([['--onse'], ['once'], ['--once=1']])(
    '%s is rejected with the usage text',
    (argument) => {
      expect(() => parseOptions([argument])).toThrow(UsageError);
      expect(() => parseOptions([argument])).toThrow(/Usage: npm run demo/);
    },
  );
});
