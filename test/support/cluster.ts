import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createClient } from '@clickhouse/client';

import type { Address } from '../../src/engine/connection.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/engine/embedded.ts';
import { queryRows } from './engine.ts';
import { silentLog } from './engine-log.ts';

/** Two embedded ClickHouse servers that know each other as the shards of one cluster. */
export interface EmbeddedPair {
  /** What a service needs in its environment to use them. */
  readonly environment: { readonly CLICKHOUSE_URL: string; readonly CLICKHOUSE_CLUSTER: string };
  /** Runs a SELECT of the test's own on one node, in the database of the service; 64-bit integers arrive as text. */
  query<Row>(node: number, sql: string): Promise<Row[]>;
  /** Inserts as a pipeline would that has no service, through the first node. */
  insert(table: string, rows: readonly object[]): Promise<void>;
  /** Kills a node. */
  kill(node: number): void;
  /** Starts a node that was killed again, on its files and its ports. */
  restart(node: number): Promise<void>;
  stop(): Promise<void>;
}

const cluster = 'pair';

/** Starts both; their files are in a directory of their own, which is removed at the end. */
export async function startPair(): Promise<EmbeddedPair> {
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
  const nodes = servers.map(({ address }) => address);
  const clients = nodes.map((node) =>
    createClient({
      ...node,
      database: 'calls_usage',
      clickhouse_settings: {
        distributed_foreground_insert: 1,
        output_format_json_quote_64bit_integers: 1,
      },
    }),
  );
  return {
    environment: toEnvironment(nodes),
    query: (node, sql) => queryRows(clients[node]!, sql),
    insert: async (table, values) => {
      await clients[0]!.insert({ table, values, format: 'JSONEachRow' });
    },
    kill: (node) => {
      process.kill(servers[node]?.processId ?? 0, 'SIGKILL');
    },
    restart: async (node) => {
      await servers[node]?.ended;
      servers[node] = await start(node);
    },
    stop: async () => {
      await Promise.all(clients.map((client) => client.close()));
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
