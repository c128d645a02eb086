import type { Settings } from '../settings/settings.ts';
import { readQueries } from './client/statements/queries.ts';
import { parseRemoteAddresses } from './client/remote-address.ts';
import { toLimits, type LimitSettings } from './client/request-settings.ts';
import type { ClickHouse, Damage, Log } from './clickhouse.ts';
import { createClusterOpener } from './cluster/cluster-opener.ts';
import { openEmbedded } from './embedded/open-embedded.ts';
import { checkPlatform, readPlatform } from './embedded/platform.ts';
import { ClickHouseStartError, DamagedDataError } from './errors.ts';
import { openSession, type SessionOpener } from './schema/open-session.ts';
import { readSchema } from './schema/prepare-database.ts';
import {
  type ObserveQuery,
  SupervisedClickHouse,
  type PrepareClickHouse,
} from './supervised-clickhouse.ts';

/** The settings of the connection to ClickHouse. */
export type ConnectionSettings = LimitSettings &
  Pick<
    Settings,
    | 'clickhouseUrl'
    | 'clickhouseCluster'
    | 'clickhouseUser'
    | 'clickhousePassword'
    | 'clickhouseDatabase'
    | 'dataDir'
    | 'payloadRetentionDays'
    | 'fillChunkRows'
    | 'embeddedHangTimeoutMs'
    | 'damageCheckIntervalMs'
  >;

/** A service that was stopped a moment ago may still be writing its files. */
const lockWaitMs = 5_000;

const stopTimeoutMs = 10_000;

/**
 * Starts to connect to ClickHouse: a server at CLICKHOUSE_URL, a cluster, or an embedded server. Returns at once;
 * {@link ClickHouse.ready} resolves when ClickHouse can be used.
 *
 * @param prepare runs after migrations are applied, each time before ClickHouse is used
 * @param observe gets every request but those of `prepare`
 * @param onDamage called when damage may have been found or repaired
 * @throws {ClickHouseStartError} settings that contradict each other or cannot be used
 */
export function startClickHouse(
  settings: ConnectionSettings,
  log: Log,
  prepare: PrepareClickHouse = () => Promise.resolve(),
  observe: ObserveQuery = () => undefined,
  onDamage: (damage: Damage) => void = () => undefined,
): ClickHouse {
  const openSession = toSessionOpener(settings, log, onDamage);
  const open: SessionOpener = async (signal) => {
    try {
      return await openSession(signal);
    } catch (error) {
      // Migrations are not applied to damaged tables.
      if (error instanceof DamagedDataError) onDamage({ state: 'damaged', parts: [] });
      throw error;
    }
  };
  return new SupervisedClickHouse({ queries: readQueries(), open, prepare, log, observe });
}

function toSessionOpener(
  settings: ConnectionSettings,
  log: Log,
  onDamage: (damage: Damage) => void,
): SessionOpener {
  const { clickhouseUrl, clickhouseCluster, damageCheckIntervalMs } = settings;
  const { payloadRetentionDays, fillChunkRows } = settings;
  const options = {
    schema: readSchema(),
    limits: toLimits(settings),
    databaseEngine: '',
    damageCheckIntervalMs,
    onDamage,
    payloadRetentionDays,
    fillChunkRows,
    log,
  };
  if (clickhouseUrl === undefined) {
    refuseCluster(clickhouseCluster);
    checkPlatform(readPlatform());
    const {
      dataDir,
      clickhouseDatabase: database,
      embeddedHangTimeoutMs: hangTimeoutMs,
    } = settings;
    const embedded = {
      ...{ ...options, dataDir, database, lockWaitMs, stopTimeoutMs },
      ...{ hangTimeoutMs },
    };
    return (signal) => openEmbedded(embedded, signal);
  }
  const addresses = parseRemoteAddresses({ ...settings, clickhouseUrl });
  const [first] = addresses;
  return clickhouseCluster === undefined
    ? (signal) => openSession(first, options, signal)
    : createClusterOpener(
        addresses,
        { name: clickhouseCluster, database: first.database },
        options,
      );
}

function refuseCluster(clickhouseCluster: string | undefined): void {
  if (clickhouseCluster === undefined) return;
  throw new ClickHouseStartError(
    'CLICKHOUSE_CLUSTER is set, which needs CLICKHOUSE_URL: the addresses of the nodes, separated by commas.',
  );
}
