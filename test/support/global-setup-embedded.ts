import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { startEmbedded } from '../../src/engine/embedded.ts';
import { silentLog } from './engine-log.ts';

/** Starts one embedded ClickHouse for the whole run; test files have databases of their own in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-test-'));
  const never = new AbortController().signal;
  const server = await startEmbedded(
    { dataDir, queryLog: false, lockWaitMs: 0, log: silentLog },
    never,
  );
  project.provide('clickhouse', server.address);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true });
  };
}
