import { describe, expect, test } from 'vitest';
import { parseOptions, UsageError } from '../../demo/options.ts';

describe('the command line of the demo', () => {
  test('serves on unless it is told to run once', () => {
    expect(parseOptions([])).toEqual({ once: false, help: false });
    expect(parseOptions(['--once'])).toEqual({ once: true, help: false });
    expect(parseOptions(['-h'])).toEqual({ once: false, help: true });
  });

  test.each([['--onse'], ['once'], ['--once=1']])('refuses %s and says what it takes', (word) => {
    expect(() => parseOptions([word])).toThrow(UsageError);
    expect(() => parseOptions([word])).toThrow(/Usage: npm run demo/);
  });
});
