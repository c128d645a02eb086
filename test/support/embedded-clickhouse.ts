import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import {
  startClickHouse,
  type ClickHouseExtras,
  type ConnectionSettings,
} from '../../src/clickhouse/start-clickhouse.ts';
import { parseSettings } from '../../src/settings.ts';
import { silentLog } from './silent-log.ts';

/** An embedded engine of the test's own, which it may kill. */
export interface EmbeddedClickHouse {
  readonly clickhouse: ClickHouse;
  /** The ClickHouse process that runs now. */
  processId(): number;
  kill(): void;
}

/** Starts an embedded engine and waits until it can be used. */
export async function startEmbeddedClickHouse(
  dataDir: string,
  extras: ClickHouseExtras = {},
  settings: Partial<ConnectionSettings> = {},
): Promise<EmbeddedClickHouse> {
  let processId = 0;
  const onEmbedded = (id: number): void => {
    processId = id;
  };
  const all = { ...parseSettings({ DATA_DIR: dataDir }), ...settings };
  const clickhouse = startClickHouse(all, silentLog, { migrations: [], ...extras, onEmbedded });
  await clickhouse.ready;
  return {
    clickhouse,
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
