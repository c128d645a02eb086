import type { Settings } from '../settings.ts';
import { Connection, type Address, type Limits } from './connection.ts';
import { startEmbedded } from './embedded.ts';
import { checkPlatform, readPlatform } from './embedded-platform.ts';
import { EngineStartError, type Engine, type EngineLog } from './engine.ts';
import { readMigrations, type Migration } from './migrations.ts';
import { prepareServer } from './prepare-server.ts';
import { readQueries, type Queries } from './queries.ts';
import { openCluster } from './open-cluster.ts';
import { toRemoteAddresses } from './remote.ts';
import { minimumServerVersion } from './server-version.ts';
import {
  SupervisedEngine,
  type EngineOpener,
  type PrepareEngine,
  type Session,
} from './supervised-engine.ts';
import { toFailureKind } from './to-engine-error.ts';

/** The settings that concern ClickHouse. */
export type EngineSettings = Pick<
  Settings,
  | 'clickhouseUrl'
  | 'clickhouseCluster'
  | 'clickhouseUser'
  | 'clickhousePassword'
  | 'clickhouseDatabase'
  | 'clickhousePool'
  | 'clickhouseTimeoutMs'
  | 'clickhouseCompression'
  | 'dataDir'
  | 'queryTimeoutMs'
  | 'queryMemoryMb'
  | 'queryResultRows'
  | 'queryResultMb'
>;

/** What the service adds, and what only tests and measurements change. */
export interface EngineExtras {
  /** What is done with ClickHouse, once migrations are applied, before it is used. */
  readonly prepare?: PrepareEngine;
  readonly queries?: Queries;
  readonly migrations?: readonly Migration[];
  readonly minimumVersion?: string;
  /** Keep `system.query_log` in the embedded engine. */
  readonly queryLog?: boolean;
  /** How long a DATA_DIR that is still in use is waited for. */
  readonly lockWaitMs?: number;
  /** How long the embedded engine may take to end before it is killed. */
  readonly stopTimeoutMs?: number;
  /** Told the process id of the embedded engine each time one has been started. */
  readonly onEmbedded?: (processId: number) => void;
}

/** An engine that a service ended a moment ago may still be writing its files. */
const lockWaitMs = 5_000;

const stopTimeoutMs = 10_000;

/**
 * Starts the engine: an embedded ClickHouse, or the connection to the one at CLICKHOUSE_URL. Returns at once;
 * {@link Engine.ready} says when it can be used, or why it never can. When ClickHouse goes away, it is started
 * again or waited for, with growing pauses, until {@link Engine.close}.
 */
export function startEngine(
  settings: EngineSettings,
  log: EngineLog,
  extras: EngineExtras = {},
): Engine {
  return new SupervisedEngine(
    () => {
      const queries = extras.queries ?? readQueries();
      const plan = { settings, log, extras, migrations: extras.migrations ?? readMigrations() };
      const { clickhouseUrl } = settings;
      if (clickhouseUrl === undefined && settings.clickhouseCluster !== undefined) {
        throw new EngineStartError(
          'CLICKHOUSE_CLUSTER is set, which needs CLICKHOUSE_URL: the addresses of the nodes, separated by commas.',
        );
      }
      const open =
        clickhouseUrl === undefined ? planEmbedded(plan) : planRemote(plan, clickhouseUrl);
      return { queries, open };
    },
    log,
    extras.prepare,
  );
}

/** What every opening of one engine is done with. */
interface Plan {
  readonly settings: EngineSettings;
  readonly log: EngineLog;
  readonly extras: EngineExtras;
  readonly migrations: readonly Migration[];
}

function planRemote(plan: Plan, clickhouseUrl: string): EngineOpener['open'] {
  const { clickhouseCluster } = plan.settings;
  const [first, ...others] = toRemoteAddresses({ ...plan.settings, clickhouseUrl });
  if (first === undefined) throw new TypeError('CLICKHOUSE_URL is empty');
  if (clickhouseCluster === undefined) return (signal) => openSession(first, plan, '', signal);
  const minimumVersion = plan.extras.minimumVersion ?? minimumServerVersion;
  return openCluster(
    [first, ...others],
    { cluster: clickhouseCluster, database: first.database },
    { ...plan, minimumVersion, limits: toLimits(plan.settings) },
  );
}

function planEmbedded(plan: Plan): EngineOpener['open'] {
  checkPlatform(readPlatform());
  return (signal) => openEmbedded(plan, signal);
}

async function openEmbedded(plan: Plan, signal: AbortSignal): Promise<Session> {
  const { settings, extras, log } = plan;
  const server = await startEmbedded(
    {
      dataDir: settings.dataDir,
      queryLog: extras.queryLog ?? false,
      lockWaitMs: extras.lockWaitMs ?? lockWaitMs,
      stopTimeoutMs: extras.stopTimeoutMs ?? stopTimeoutMs,
      log,
    },
    signal,
  );
  extras.onEmbedded?.(server.processId);
  try {
    const address = { ...server.address, database: settings.clickhouseDatabase };
    const session = await openSession(address, plan, 'ENGINE = Atomic', signal);
    return {
      ...session,
      ended: Promise.race([session.ended, server.ended]),
      close: async () => {
        await session.close();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Prepares the server and opens the connection; the session ends when its database is gone. */
async function openSession(
  address: Required<Address>,
  { settings, log, extras, migrations }: Plan,
  databaseEngine: string,
  signal: AbortSignal,
): Promise<Session> {
  const minimumVersion = extras.minimumVersion ?? minimumServerVersion;
  const { url, username, password, database } = address;
  const version = await prepareServer(
    { url, username, password },
    { database, databaseEngine, minimumVersion, migrations, log },
    signal,
  );
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => (end = resolve));
  const connection = new Connection(address, toLimits(settings), (error) => {
    const kind = toFailureKind(error);
    if (kind === 'databaseGone') end(`the database ${database} is gone`);
    if (kind === 'refused') log.error({ url }, 'ClickHouse refuses user name or password');
  });
  return { version, connection, ended, close: () => connection.close() };
}

function toLimits(settings: EngineSettings): Limits {
  return {
    pool: settings.clickhousePool,
    timeoutMs: settings.clickhouseTimeoutMs,
    queryTimeoutMs: settings.queryTimeoutMs,
    queryMemoryMb: settings.queryMemoryMb,
    resultRows: settings.queryResultRows,
    resultMb: settings.queryResultMb,
    compression: settings.clickhouseCompression,
  };
}
