import type { Log } from '../../src/clickhouse/clickhouse.ts';

/** A log for tests that do not look at it. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
