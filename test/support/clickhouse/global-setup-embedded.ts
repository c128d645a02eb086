import { randomBytes } from 'node:crypto';

import type { TestProject } from 'vitest/node';

import { makeDirectory, startServer } from './embedded-clickhouse.ts';
import { addHandler, addUser } from './embedded-overrides.ts';

/** The grants that sql/README.md documents for the service's user, for a database `allowed`. */
const documentedGrants = [
  'SELECT, INSERT, ALTER, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW ON allowed.*',
  'TABLE ENGINE ON *',
  'SELECT ON system.parts',
  'SELECT ON system.detached_parts',
  'SELECT ON system.processes',
];

/** Starts one embedded ClickHouse for the whole run; each test file uses databases of its own in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await makeDirectory();
  const password = randomBytes(16).toString('hex');
  await addUser(directory.path, { username: 'limited', password, grants: documentedGrants });
  await addHandler(directory.path, { username: 'unknown', password });
  const server = await startServer(directory.path);
  project.provide('clickhouse', server.address);
  project.provide('otherPassword', password);
  return async () => {
    await server.stop();
    await directory.remove();
  };
}
