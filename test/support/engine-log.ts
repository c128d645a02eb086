import type { EngineLog } from '../../src/engine/engine.ts';

/** A log for tests that do not look at it. */
export const silentLog: EngineLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
