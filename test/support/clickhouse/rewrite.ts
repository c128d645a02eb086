import { vi } from 'vitest';

import type { ClickHouse } from '../../../src/clickhouse/clickhouse.ts';

/**
 * Rewrites rows; the lock of the rewrite before may not have ended yet.
 * @returns how many rows were counted
 */
export async function rewriteWhenFree(
  clickhouse: ClickHouse,
  statements: Parameters<ClickHouse['rewrite']>[0],
): Promise<number> {
  return await vi.waitFor(
    async () => {
      const rows = await clickhouse.rewrite(statements);
      if (rows === undefined) throw new Error('Another rewrite is running.');
      return rows;
    },
    { timeout: 20_000 },
  );
}
