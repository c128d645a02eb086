import type { Log } from '../clickhouse.ts';
import type { Node } from './damaged-parts.ts';
import { readDerivation } from './derivations.ts';
import { insertInChunks, type ChunkOptions } from './insert-in-chunks.ts';

export interface RebuildOptions extends Pick<ChunkOptions, 'chunkRows' | 'checkLock'> {
  readonly log: Log;
}

/**
 * Derives the rows of a table from all `call_parts` of a node once more, chunk by chunk. Rows that the table still has
 * are inserted again, which changes nothing that answers read, because these columns are aggregated by `max` and `min`.
 * Only `checksum`, a sum, counts such rows twice.
 * @throws what the client throws; some of the rows are then inserted, and this may run again.
 */
export async function rebuildTable(
  { client, address: { database } }: Node,
  table: string,
  { log, ...options }: RebuildOptions,
): Promise<void> {
  const { target, columns, select } = await readDerivation(client, database, table);
  const names = columns.join(', ');
  const insert = `INSERT INTO ${target} (${names}) SELECT ${names} FROM (${select})`;
  await insertInChunks(client, database, insert, {
    ...options,
    onProgress: (progress) => {
      log.info({ database, table, ...progress }, 'filling a derived table again');
    },
  });
}
