import { parseRemoteAddresses } from './client/remote-address.ts';
import { openClient, type DatabaseAddress } from './client/open-client.ts';
import { toLocalDatabase } from './cluster/distributed-tables.ts';
import type { Node } from './damage/damaged-parts.ts';
import { startEmbeddedServer } from './embedded/embedded-server.ts';
import type { ConnectionSettings } from './start-clickhouse.ts';

/** The databases in which the nodes store their rows. */
export interface OpenNodes {
  readonly nodes: readonly Node[];
  /** Closes the clients, and stops an embedded server. */
  close(): Promise<void>;
}

const limits = { maxOpenConnections: 2, timeoutMs: 3_600_000, compression: false };

/**
 * Connects to every node without preparing anything, for command line tools; starts an embedded server.
 * @throws {ClickHouseStartError} the embedded server cannot run, for example because the service runs
 */
export async function openNodes(settings: ConnectionSettings): Promise<OpenNodes> {
  const { clickhouseUrl, clickhouseCluster, dataDir, clickhouseDatabase: database } = settings;
  if (clickhouseUrl === undefined) {
    const log = { debug: discard, info: discard, warn: console.error, error: console.error };
    const options = { dataDir, lockWaitMs: 0, stopTimeoutMs: 10_000, log };
    const server = await startEmbeddedServer(options, new AbortController().signal);
    return toOpenNodes([{ ...server.address, database }], () => server.stop());
  }
  const addresses = parseRemoteAddresses({ ...settings, clickhouseUrl });
  const local = addresses.map((address) =>
    clickhouseCluster === undefined
      ? address
      : {
          ...address,
          database: toLocalDatabase({ name: clickhouseCluster, database: address.database }),
        },
  );
  return toOpenNodes(local, () => Promise.resolve());
}

function discard(): void {
  // Only warnings and errors are for the operator.
}

function toOpenNodes(addresses: readonly DatabaseAddress[], stop: () => Promise<void>): OpenNodes {
  const nodes = addresses.map((address) => ({ address, client: openClient(address, limits) }));
  return {
    nodes,
    close: async () => {
      await Promise.all(nodes.map(({ client }) => client.close()));
      await stop();
    },
  };
}
