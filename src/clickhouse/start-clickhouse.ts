import type { Settings } from '../settings.ts';
import { Connection, type Address, type Limits } from './client/connection.ts';
import { startEmbedded } from './embedded/embedded-server.ts';
import { checkPlatform, readPlatform } from './embedded/platform.ts';
import type { ClickHouse, Log } from './clickhouse.ts';
import { ClickHouseStartError } from './errors.ts';
import { readMigrations, type Migration } from './schema/migrations.ts';
import { prepareServer } from './schema/prepare-database.ts';
import { readQueries, type Queries } from './client/queries.ts';
import { openCluster } from './cluster/open-cluster.ts';
import { toRemoteAddresses } from './client/remote-address.ts';
import { minimumServerVersion } from './schema/server-version.ts';
import {
  SupervisedClickHouse,
  type ClickHouseOpener,
  type PrepareClickHouse,
  type Session,
} from './supervised-clickhouse.ts';
import { toErrorKind } from './client/map-error.ts';

/** The settings that concern ClickHouse. */
export type ConnectionSettings = Pick<
  Settings,
  | 'clickhouseUrl'
  | 'clickhouseCluster'
  | 'clickhouseUser'
  | 'clickhousePassword'
  | 'clickhouseDatabase'
  | 'clickhouseMaxOpenConnections'
  | 'clickhouseTimeoutMs'
  | 'clickhouseCompression'
  | 'dataDir'
  | 'queryTimeoutMs'
  | 'queryMemoryMb'
  | 'queryResultRows'
  | 'queryResultMb'
>;

/** What the service adds, and what only tests and measurements change. */
export interface ClickHouseExtras {
  /** What is done with ClickHouse, once migrations are applied, before it is used. */
  readonly prepare?: PrepareClickHouse;
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
 * {@link ClickHouse.ready} says when it can be used, or why it never can. When ClickHouse goes away, it is started
 * again or waited for, with growing pauses, until {@link ClickHouse.close}.
 */
export function startClickHouse(
  settings: ConnectionSettings,
  log: Log,
  extras: ClickHouseExtras = {},
): ClickHouse {
  return new SupervisedClickHouse(
    () => {
      const queries = extras.queries ?? readQueries();
      const plan = { settings, log, extras, migrations: extras.migrations ?? readMigrations() };
      const { clickhouseUrl } = settings;
      if (clickhouseUrl === undefined && settings.clickhouseCluster !== undefined) {
        throw new ClickHouseStartError(
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
  readonly settings: ConnectionSettings;
  readonly log: Log;
  readonly extras: ClickHouseExtras;
  readonly migrations: readonly Migration[];
}

function planRemote(plan: Plan, clickhouseUrl: string): ClickHouseOpener['open'] {
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

function planEmbedded(plan: Plan): ClickHouseOpener['open'] {
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
    const kind = toErrorKind(error);
    if (kind === 'databaseGone') end(`the database ${database} is gone`);
    if (kind === 'refused') log.error({ url }, 'ClickHouse refuses user name or password');
  });
  return { version, connection, ended, close: () => connection.close() };
}

function toLimits(settings: ConnectionSettings): Limits {
  return {
    pool: settings.clickhouseMaxOpenConnections,
    timeoutMs: settings.clickhouseTimeoutMs,
    queryTimeoutMs: settings.queryTimeoutMs,
    queryMemoryMb: settings.queryMemoryMb,
    resultRows: settings.queryResultRows,
    resultMb: settings.queryResultMb,
    compression: settings.clickhouseCompression,
  };
}
