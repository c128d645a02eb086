import { createHash } from 'node:crypto';

import { readQueries, type QueryName } from '../clickhouse/client/statements/queries.ts';

/** The statements that make rollups. A trace is rolled up by the first one that can. */
export const rollupStatements = [
  'roll_up_flat_traces',
  'roll_up_traces',
  'roll_up_whole_traces',
] as const satisfies readonly QueryName[];

/**
 * Identifies what rollups contain: a hash of the statements that make them, with all fragments. So a change of the
 * counting rules cannot be forgotten: services of another version make and use rollups of their own.
 * @returns an integer of 64 bits as text
 */
export function readRulesVersion(): string {
  const queries = readQueries();
  const hash = createHash('sha256');
  for (const name of rollupStatements) {
    const query = queries.get(name);
    if (query === undefined) throw new TypeError(`There is no query ${name}.`);
    hash.update(query.text).update('\n');
  }
  return hash.digest().readBigUInt64BE().toString();
}
