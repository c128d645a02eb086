import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Engine } from '../../src/engine/engine.ts';
import {
  startEngine,
  type EngineExtras,
  type EngineSettings,
} from '../../src/engine/start-engine.ts';
import { readSettings } from '../../src/settings.ts';
import { silentLog } from './engine-log.ts';

/** An embedded engine of the test's own, which it may kill. */
export interface OwnEngine {
  readonly engine: Engine;
  /** The ClickHouse process that runs now. */
  processId(): number;
  kill(): void;
}

/** Starts an embedded engine and waits until it can be used. */
export async function startOwnEngine(
  dataDir: string,
  extras: EngineExtras = {},
  settings: Partial<EngineSettings> = {},
): Promise<OwnEngine> {
  let processId = 0;
  const onEmbedded = (id: number): void => {
    processId = id;
  };
  const all = { ...readSettings({ DATA_DIR: dataDir }), ...settings };
  const engine = startEngine(all, silentLog, { migrations: [], ...extras, onEmbedded });
  await engine.ready;
  return {
    engine,
    processId: () => processId,
    kill: () => {
      process.kill(processId, 'SIGKILL');
    },
  };
}

/** Makes a directory of the test's own; it is removed by the function that comes with it. */
export async function makeDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'calls-usage-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Whether a process runs. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
