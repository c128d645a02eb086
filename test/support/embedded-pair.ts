import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Address } from '../../src/clickhouse/client/connection.ts';
import {
  type EmbeddedServer,
  startEmbedded,
} from '../../src/clickhouse/embedded/embedded-server.ts';
import { silentLog } from './silent-log.ts';

/** Two embedded ClickHouse servers that know each other as the shards of one cluster. */
export interface EmbeddedPair {
  readonly addresses: readonly Address[];
  /** What a service needs in its environment to use them. */
  readonly environment: { readonly CLICKHOUSE_URL: string; readonly CLICKHOUSE_CLUSTER: string };
  /** Kills a node. */
  kill(node: number): void;
  /** Starts a node that was killed again, on its files and its ports. */
  restart(node: number): Promise<void>;
  /** Ends both and removes their files. */
  stop(): Promise<void>;
}

const cluster = 'pair';

/** Starts both, on files in a directory of their own. */
export async function startEmbeddedPair(): Promise<EmbeddedPair> {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-pair-'));
  const password = randomBytes(32).toString('base64url');
  const ports = await freePorts(4);
  const [tcpPorts, httpPorts] = [ports.slice(0, 2), ports.slice(2)];
  const start = (node: number): Promise<EmbeddedServer> =>
    startEmbedded(
      {
        ...{ dataDir: join(directory, String(node)), queryLog: false, log: silentLog },
        ...{ lockWaitMs: 10_000, stopTimeoutMs: 10_000, httpPort: httpPorts[node] ?? 0 },
        cluster: { name: cluster, password, tcpPorts, tcpPort: tcpPorts[node] ?? 0 },
      },
      new AbortController().signal,
    );
  const servers = await Promise.all([0, 1].map(start));
  const addresses = servers.map(({ address }) => address);
  return {
    ...{ addresses, environment: toEnvironment(addresses) },
    kill: (node) => {
      process.kill(servers[node]?.processId ?? 0, 'SIGKILL');
    },
    restart: async (node) => {
      await servers[node]?.ended;
      servers[node] = await start(node);
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await rm(directory, { recursive: true });
    },
  };
}

function toEnvironment(nodes: readonly Address[]): EmbeddedPair['environment'] {
  const urls = nodes.map(({ url, username, password }) =>
    Object.assign(new URL(url), { username, password }).href.replace(/\/$/, ''),
  );
  return { CLICKHOUSE_URL: urls.join(','), CLICKHOUSE_CLUSTER: cluster };
}

/** Ports that are free now, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
