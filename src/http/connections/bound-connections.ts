import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ipKeyGenerator } from 'express-rate-limit';
import type { Logger } from 'pino';
import { type FileSettings, toMaxSockets } from '../../open-files.ts';
import type { Settings } from '../../settings/settings.ts';

export interface ConnectionsOptions {
  readonly log: Logger;
  /** Counts a connection that was closed because too many were open. */
  readonly countDropped: () => void;
}

export type ConnectionSettings = FileSettings & Pick<Settings, 'maxConnections'>;

/** How often dropped connections are logged at most. */
const dropLogIntervalMs = 10_000;

/**
 * Keeps at most MAX_CONNECTIONS open: for each one beyond, one is closed, counted, and logged now and then. It is one of
 * the address that has the most, so that a client that opens any number of them closes only its own: the one that has
 * been idle for longest, or the latest one where all have a request in flight.
 * @param inFlight the responses that are not finished
 */
export function boundConnections(
  server: Server,
  inFlight: ReadonlySet<ServerResponse>,
  maxConnections: number,
  { log, countDropped }: ConnectionsOptions,
): void {
  /** The address of each, in the order in which they were opened or had their last request. */
  const addresses = new Map<Socket, string>();
  let dropped = 0;
  let loggedAt = -Infinity;
  server.on('request', ({ socket }) => {
    const address = addresses.get(socket);
    if (address === undefined) return;
    addresses.delete(socket);
    addresses.set(socket, address);
  });
  server.on('connection', (socket) => {
    // IPv6 addresses of one /64 network, of which one machine has all, are one.
    addresses.set(socket, ipKeyGenerator(socket.remoteAddress ?? '', 64));
    socket.once('close', () => addresses.delete(socket));
    if (addresses.size <= maxConnections) return;
    const excess = findExcess(addresses, inFlight);
    if (excess !== undefined) addresses.delete(excess);
    excess?.destroy();
    countDropped();
    dropped += 1;
    if (performance.now() - loggedAt < dropLogIntervalMs) return;
    log.warn({ max_connections: maxConnections, dropped }, 'dropped connections');
    dropped = 0;
    loggedAt = performance.now();
  });
}

function findExcess(
  addresses: ReadonlyMap<Socket, string>,
  inFlight: ReadonlySet<ServerResponse>,
): Socket | undefined {
  const counts = new Map<string, number>();
  for (const address of addresses.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const candidates = [...addresses.keys()].filter(
    (socket) => counts.get(addresses.get(socket) ?? '') === most,
  );
  const busy = new Set<unknown>(Array.from(inFlight, ({ socket }) => socket));
  return candidates.find((socket) => !busy.has(socket)) ?? candidates.at(-1);
}

/**
 * MAX_CONNECTIONS, lowered to what the limit of open files (`ulimit -n`) has room for.
 * @throws {SettingsError} the limit is too low to serve requests at all
 */
export function toMaxConnections(
  settings: ConnectionSettings,
  maxOpenFiles: number,
  log: Logger,
): number {
  const maxConnections = Math.min(settings.maxConnections, toMaxSockets(settings, maxOpenFiles));
  if (maxConnections < settings.maxConnections) {
    const details = { max_connections: maxConnections, max_open_files: maxOpenFiles };
    log.warn(details, 'lowered MAX_CONNECTIONS to fit the limit of open files');
  }
  return maxConnections;
}
