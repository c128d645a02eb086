import { setTimeout as sleep } from 'node:timers/promises';

import { Connection } from '../client/connection.ts';
import type { DatabaseAddress } from '../client/open-client.ts';
import type { Limits } from '../client/request-settings.ts';
import type { Log } from '../clickhouse.ts';
import type { EmbeddedServer } from './embedded-server.ts';

export interface HangOptions {
  /** After how long without an answer the server is killed. */
  readonly hangTimeoutMs: number;
  readonly limits: Limits;
  readonly log: Log;
}

/**
 * How many pings in a row must fail. Time alone proves no hang: it passes too while the machine sleeps or the container
 * is paused, after which the first ping is answered.
 */
const pingsUntilHung = 12;

/**
 * Pings a server until it has ended, and kills it when it hangs; whoever supervises it then starts it again. An error is
 * an answer, so a server that is overloaded or has no database yet is left alone.
 */
export async function killWhenHung(
  server: EmbeddedServer,
  database: string,
  { hangTimeoutMs, limits, log }: HangOptions,
): Promise<void> {
  const address: DatabaseAddress = { ...server.address, database };
  const connection = new Connection(address, {
    ...{ limits, log },
    ...{ probe: 'SELECT 1', endsOn: 'databaseMissing' },
  });
  const ended = new AbortController();
  void server.ended.then(() => ended.abort());
  const pingIntervalMs = hangTimeoutMs / pingsUntilHung;
  let unanswered = 0;
  while (!ended.signal.aborted && unanswered < pingsUntilHung) {
    const nextPing = sleep(pingIntervalMs, false, { signal: ended.signal }).catch(() => true);
    const isAnswered = await Promise.race([connection.isAnswering(), nextPing]);
    unanswered = isAnswered ? 0 : unanswered + 1;
    await nextPing;
  }
  if (!ended.signal.aborted) {
    log.error({ unanswered_ms: hangTimeoutMs }, 'ClickHouse hangs and is restarted');
    server.kill();
  }
  await connection.close();
}
