import {
  type ClusterOptions,
  joinCluster,
  localDatabase,
  probeOf,
  withoutPrices,
} from './distributed-tables.ts';
import { Connection, type Address, type Limits } from '../client/connection.ts';
import type { Log } from '../clickhouse.ts';
import { ClickHouseUnavailableError } from '../errors.ts';
import type { Migration } from '../schema/migrations.ts';
import { prepareServer } from '../schema/prepare-database.ts';
import { hasMacros, toReplicated } from './replicated-tables.ts';
import type { Session } from '../supervised-clickhouse.ts';
import { toErrorCode, toErrorKind } from '../client/map-error.ts';

interface OpenOptions {
  readonly migrations: readonly Migration[];
  readonly minimumVersion: string;
  readonly limits: Limits;
  readonly log: Log;
}

/**
 * Makes the function that opens a cluster. The first time every node has to be there, to get its tables; from then on
 * it opens a connection to whichever node answers first in the order given, and again to another one when that goes away.
 */
export function openCluster(
  nodes: readonly Required<Address>[],
  cluster: ClusterOptions,
  options: OpenOptions,
): (signal: AbortSignal) => Promise<Session> {
  let version: string | undefined;
  return async (signal) => {
    version ??= await prepareCluster(nodes, cluster, options, signal);
    const { address, connection, ended } = await connect(nodes, cluster, options);
    options.log.info({ url: address.url, cluster: cluster.cluster }, 'connected to the cluster');
    return { version, connection, ended, close: () => connection.close() };
  };
}

async function prepareCluster(
  nodes: readonly Address[],
  cluster: ClusterOptions,
  { migrations, minimumVersion, log }: OpenOptions,
  signal: AbortSignal,
): Promise<string> {
  const ofCluster = withoutPrices(migrations);
  let version = '';
  for (const node of nodes) {
    const address = withoutDatabase(node);
    version = await prepareServer(
      address,
      {
        ...{ database: localDatabase(cluster), databaseEngine: '', minimumVersion, log },
        migrations: (await isReplicated(address)) ? toReplicated(ofCluster) : ofCluster,
      },
      signal,
    );
  }
  for (const node of nodes) await joinCluster(withoutDatabase(node), cluster);
  return version;
}

/** A node that is away has no macros yet; what is asked of it next says that it is away. */
async function isReplicated(address: Address): Promise<boolean> {
  return await hasMacros(address).catch(() => false);
}

interface Connected {
  readonly address: Address;
  readonly connection: Connection;
  readonly ended: Promise<string>;
}

async function connect(
  nodes: readonly Required<Address>[],
  cluster: ClusterOptions,
  { limits }: OpenOptions,
): Promise<Connected> {
  for (const address of nodes) {
    let end: (reason: string) => void = () => undefined;
    const ended = new Promise<string>((resolve) => (end = resolve));
    const onFailure = (error: unknown): void => {
      // A node that answers, be it with an error about another one, is there.
      if (toErrorKind(error) === 'away' && toErrorCode(error) === undefined) {
        end(`the node ${address.url} is away`);
      }
    };
    const connection = new Connection(address, limits, onFailure, probeOf(cluster));
    if (await connection.isThere()) return { address, connection, ended };
    await connection.close();
  }
  throw new ClickHouseUnavailableError('No node of the cluster answers');
}

function withoutDatabase({ url, username, password }: Address): Address {
  return { url, username, password };
}
