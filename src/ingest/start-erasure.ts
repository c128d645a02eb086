import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouse, Log } from '../clickhouse/clickhouse.ts';

/** A failed attempt is repeated after this time, unless the interval is shorter. */
const retryMs = 60_000;

/**
 * Erases the payloads of deleted calls now and after each interval, also those of calls that a pipeline has deleted.
 * Several services may run it: one at a time erases. What is interrupted or fails is found again the next time.
 * @returns stops it; resolves when the attempt in progress has ended
 */
export function startErasure(
  clickhouse: ClickHouse,
  intervalMs: number,
  log: Log,
): () => Promise<void> {
  const stopping = new AbortController();
  const erasing = eraseRepeatedly(clickhouse, intervalMs, log, stopping.signal);
  return () => {
    stopping.abort();
    return erasing;
  };
}

async function eraseRepeatedly(
  clickhouse: ClickHouse,
  intervalMs: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  await clickhouse.ready.catch(() => undefined);
  const isStopping = (): boolean => signal.aborted;
  while (!isStopping()) {
    const isDone = await erase(clickhouse, log, isStopping);
    const pauseMs = isDone ? intervalMs : Math.min(intervalMs, retryMs);
    await sleep(pauseMs, undefined, { signal }).catch((): undefined => undefined);
  }
}

const statements = { count: 'count_deleted_payloads', alter: 'erase_deleted_payloads' } as const;

/** Returns false if it failed. */
async function erase(
  clickhouse: ClickHouse,
  log: Log,
  isStopping: () => boolean,
): Promise<boolean> {
  try {
    const parts = await clickhouse.rewrite(statements);
    if (parts !== undefined && parts > 0) log.info({ parts }, 'payloads of deleted calls erased');
    return true;
  } catch (error) {
    if (!isStopping()) log.warn({ err: error }, 'payloads of deleted calls were not erased');
    return false;
  }
}
