import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readQueries, type Queries } from '../../../src/clickhouse/client/statements/queries.ts';
import { toLimits } from '../../../src/clickhouse/client/request-settings.ts';
import type { ClickHouse, Log } from '../../../src/clickhouse/clickhouse.ts';
import {
  startEmbeddedServer,
  type EmbeddedServer,
} from '../../../src/clickhouse/embedded/embedded-server.ts';
import { openEmbedded } from '../../../src/clickhouse/embedded/open-embedded.ts';
import type { Migration } from '../../../src/clickhouse/schema/migrations.ts';
import { readSchema } from '../../../src/clickhouse/schema/prepare-database.ts';
import { SupervisedClickHouse } from '../../../src/clickhouse/supervised-clickhouse.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import { silentLog } from '../silent-log.ts';

/** What a test chooses itself. */
export interface EmbeddedChoices {
  /** The service's own by default. */
  readonly queries?: Queries;
  /** None by default. */
  readonly migrations?: readonly Migration[];
  readonly lockWaitMs?: number;
  readonly stopTimeoutMs?: number;
  /** Settings of the service. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly log?: Log;
}

/** A ClickHouse with an embedded server, which the test may kill. */
export interface EmbeddedClickHouse {
  readonly clickhouse: ClickHouse;
  /** Of the server that runs now. */
  processId(): Promise<number>;
  kill(): Promise<void>;
}

/** Starts a ClickHouse with an embedded server and waits until it is ready. */
export async function openEmbeddedClickHouse(
  dataDir: string,
  choices: EmbeddedChoices = {},
): Promise<EmbeddedClickHouse> {
  const clickhouse = startEmbeddedClickHouse(dataDir, choices);
  await clickhouse.ready;
  return {
    clickhouse,
    processId: () => readProcessId(dataDir),
    kill: async () => {
      process.kill(await readProcessId(dataDir), 'SIGKILL');
    },
  };
}

/** Starts a ClickHouse with an embedded server, as the service does. */
export function startEmbeddedClickHouse(
  dataDir: string,
  choices: EmbeddedChoices = {},
): ClickHouse {
  const {
    queries = readQueries(),
    migrations = [],
    lockWaitMs = 5_000,
    stopTimeoutMs = 10_000,
    log = silentLog,
    environment = {},
  } = choices;
  const settings = parseSettings({ DATA_DIR: dataDir, ...environment });
  const options = {
    dataDir,
    database: settings.clickhouseDatabase,
    schema: { ...readSchema(), migrations },
    limits: toLimits(settings),
    payloadRetentionDays: settings.payloadRetentionDays,
    fillChunkRows: settings.fillChunkRows,
    damageCheckIntervalMs: settings.damageCheckIntervalMs,
    onDamage: () => undefined,
    lockWaitMs,
    stopTimeoutMs,
    hangTimeoutMs: settings.embeddedHangTimeoutMs,
    log,
  };
  return new SupervisedClickHouse({
    queries,
    open: (signal) => openEmbedded(options, signal),
    prepare: () => Promise.resolve(),
    log,
  });
}

/** Starts an embedded server and nothing that uses it; the caller stops it. */
export async function startServer(dataDir: string): Promise<EmbeddedServer> {
  return await startEmbeddedServer(
    { dataDir, lockWaitMs: 20_000, stopTimeoutMs: 10_000, log: silentLog },
    new AbortController().signal,
  );
}

/** Reads the process id of the embedded server that runs on a data directory, or ran there last. */
export async function readProcessId(dataDir: string): Promise<number> {
  const status = await readFile(join(dataDir, 'clickhouse', 'status'), 'utf8');
  return Number(/^PID: (\d+)$/m.exec(status)?.[1]);
}

/** Makes a temporary directory; `remove` removes it. */
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
