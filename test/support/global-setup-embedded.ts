import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { startEmbedded } from '../../src/clickhouse/embedded/embedded-server.ts';
import { silentLog } from './silent-log.ts';

/** What sql/README.md says a user needs, for a database called allowed. */
const documentedGrants = [
  'SELECT, INSERT, ALTER, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW ON allowed.*',
  'TABLE ENGINE ON *',
];

/** Starts one embedded ClickHouse for the whole run; test files have databases of their own in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'calls-usage-test-'));
  const never = new AbortController().signal;
  const password = randomBytes(16).toString('hex');
  const guests = [
    {
      username: 'limited',
      password,
      grants: documentedGrants,
    },
    { username: 'unknown', password, grants: [] },
  ];
  const server = await startEmbedded(
    { dataDir, queryLog: false, lockWaitMs: 0, stopTimeoutMs: 10_000, guests, log: silentLog },
    never,
  );
  project.provide('clickhouse', server.address);
  project.provide('guestPassword', password);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true });
  };
}
