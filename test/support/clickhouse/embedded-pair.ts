import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { openClient, type Address } from '../../../src/clickhouse/client/open-client.ts';
import type { EmbeddedServer } from '../../../src/clickhouse/embedded/embedded-server.ts';
import { makeDirectory, startServer } from './embedded-clickhouse.ts';
import { addOverride, addQuickCleanup, addUser } from './embedded-overrides.ts';
import { startTcpRelay } from './tcp-relay.ts';

/** Two embedded ClickHouse servers that are the shards of one cluster. */
export interface EmbeddedPair {
  readonly addresses: readonly Address[];
  /** What a service needs in its environment to use them. */
  readonly environment: { readonly CLICKHOUSE_URL: string; readonly CLICKHOUSE_CLUSTER: string };
  /** The directory of each node's files; replaced files are removed after a second. */
  readonly dataDirs: readonly string[];
  /** Kills a node; resolves when it has ended. */
  kill(node: number): Promise<void>;
  /** Restarts a killed node on its files and its ports. */
  restart(node: number): Promise<void>;
  /** Stops both and removes their files. */
  stop(): Promise<void>;
}

const cluster = 'pair';

/** The user of the service and of the nodes among themselves. */
const username = 'node';

/** Starts both servers on a temporary directory. */
export async function startEmbeddedPair(): Promise<EmbeddedPair> {
  const directory = await makeDirectory();
  const dataDirs = [0, 1].map((node) => join(directory.path, String(node)));
  const password = randomBytes(32).toString('base64url');
  const ports = await findFreePorts(4);
  const [httpPorts, tcpPorts] = [ports.slice(0, 2), ports.slice(2)];
  const relays = await Promise.all(tcpPorts.map(startTcpRelay));
  for (const [node, dataDir] of dataDirs.entries()) {
    // A node finds itself by its own port.
    const shardPorts = relays.map(({ port }, shard) => (shard === node ? tcpPorts[node]! : port));
    const xml = toClusterXml(httpPorts[node]!, tcpPorts[node]!, shardPorts, password);
    await addOverride(dataDir, 'config.d', 'cluster', xml);
    await addUser(dataDir, { username, password });
    await addQuickCleanup(dataDir);
  }
  const servers = await Promise.all(dataDirs.map(startNode));
  const addresses = servers.map(({ address }) => ({ url: address.url, username, password }));
  return {
    addresses,
    environment: toEnvironment(addresses),
    dataDirs,
    kill: async (node) => {
      process.kill(servers[node]!.processId, 'SIGKILL');
      await servers[node]!.ended;
      await relays[node]!.close();
    },
    restart: async (node) => {
      servers[node] = await startNode(dataDirs[node]!);
      await relays[node]!.listen();
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await Promise.all(relays.map((relay) => relay.close()));
      await directory.remove();
    },
  };
}

function toClusterXml(
  httpPort: number,
  tcpPort: number,
  shardPorts: readonly number[],
  password: string,
): string {
  const shards = shardPorts.map(
    (port) => `<shard><replica>
      <host>127.0.0.1</host>
      <port>${port}</port>
      <user>${username}</user>
      <password>${password}</password>
    </replica></shard>`,
  );
  return `<http_port>${httpPort}</http_port>
    <tcp_port>${tcpPort}</tcp_port>
    <remote_servers><${cluster}>${shards.join('')}</${cluster}></remote_servers>`;
}

/** Starts a node; by itself an embedded server listens to HTTP alone. */
async function startNode(dataDir: string): Promise<EmbeddedServer> {
  const server = await startServer(dataDir);
  const limits = { maxOpenConnections: 1, timeoutMs: 10_000, compression: false };
  const client = openClient(server.address, limits);
  await client.command({ query: 'SYSTEM START LISTEN TCP' });
  await client.close();
  return server;
}

function toEnvironment(nodes: readonly Address[]): EmbeddedPair['environment'] {
  const urls = nodes.map(({ url, username, password }) =>
    Object.assign(new URL(url), { username, password }).href.replace(/\/$/, ''),
  );
  return { CLICKHOUSE_URL: urls.join(','), CLICKHOUSE_CLUSTER: cluster };
}

/**
 * Finds different ports that are free at the moment. They are below those that Linux and macOS give to outgoing
 * connections: one of another test could take such a port before the server listens.
 */
async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(10_000, 32_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!(await isListening)) return false;
  await once(server.close(), 'close');
  return true;
}
