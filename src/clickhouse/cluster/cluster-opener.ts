import { Connection } from '../client/connection.ts';
import type { DatabaseAddress } from '../client/open-client.ts';
import { ClickHouseUnavailableError } from '../errors.ts';
import {
  watchDamage,
  type Session,
  type SessionOpener,
  type SessionOptions,
  type Store,
} from '../schema/open-session.ts';
import { prepareDatabase } from '../schema/prepare-database.ts';
import { rewriteRows, type RowStorage } from '../schema/rewrite-rows.ts';
import {
  createDistributedTables,
  toClusterProbe,
  toLocalDatabase,
  withoutPrices,
  type Cluster,
} from './distributed-tables.ts';
import { hasMacros, toReplicated } from './replicated-tables.ts';

/**
 * Opens sessions on a cluster. The first one needs every node, to create its tables; later ones connect to the first
 * node in the order of CLICKHOUSE_URL that answers. A session ends when its node is unreachable.
 */
export function createClusterOpener(
  nodes: readonly DatabaseAddress[],
  cluster: Cluster,
  options: SessionOptions,
): SessionOpener {
  let version: string | undefined;
  return async (signal) => {
    version ??= await prepareNodes(nodes, cluster, options, signal);
    const connection = await connect(nodes, cluster, options);
    const stores = openStores(nodes, cluster, options);
    const storage = toRowStorage(nodes, cluster);
    const rewrite: Session['rewrite'] = (statements) => rewriteRows(storage, statements, signal);
    return await watchDamage(options, { version, connection, stores, rewrite }, signal);
  };
}

/** Connections to the tables of each node; they send nothing yet. */
function openStores(
  nodes: readonly DatabaseAddress[],
  cluster: Cluster,
  { limits, log }: SessionOptions,
): Store[] {
  return nodes.map((node) => {
    const address = { ...node, database: toLocalDatabase(cluster) };
    const connection = new Connection(address, {
      limits,
      log,
      probe: 'SELECT 1',
      endsOn: 'unreachable',
    });
    return { address, connection };
  });
}

/** Creates the tables of every node, and then those that show the tables of all nodes. */
async function prepareNodes(
  nodes: readonly DatabaseAddress[],
  cluster: Cluster,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<string> {
  let version = '';
  for (const node of nodes) version = await prepareLocalDatabase(node, cluster, options, signal);
  for (const node of nodes) await createDistributedTables(node, cluster);
  return version;
}

function toRowStorage(nodes: readonly DatabaseAddress[], cluster: Cluster): RowStorage {
  const database = toLocalDatabase(cluster);
  return { servers: nodes.map((node) => ({ ...node, database })), database: cluster.database };
}

async function prepareLocalDatabase(
  node: DatabaseAddress,
  cluster: Cluster,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<string> {
  const migrations = withoutPrices(options.schema.migrations);
  // The macros of an unavailable node cannot be read; the preparation reports that it is unavailable.
  const isReplicated = await hasMacros(node).catch(() => false);
  const schema = {
    ...options.schema,
    migrations: isReplicated ? toReplicated(migrations) : migrations,
  };
  const address = { ...node, database: toLocalDatabase(cluster) };
  return await prepareDatabase(address, { ...options, schema }, signal);
}

/** Connects to the first node that answers. */
async function connect(
  nodes: readonly DatabaseAddress[],
  cluster: Cluster,
  { limits, log }: SessionOptions,
): Promise<Connection> {
  const probe = toClusterProbe(cluster);
  for (const address of nodes) {
    const connection = new Connection(address, { limits, log, probe, endsOn: 'unreachable' });
    if (await connection.isReachable()) {
      log.info({ url: address.url, cluster: cluster.name }, 'connected to the cluster');
      return connection;
    }
    await connection.close();
  }
  throw new ClickHouseUnavailableError('No node of the cluster answers');
}
