import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { readMaxOpenFiles } from '../../open-files.ts';
import { type Settings, SettingsError } from '../../settings/settings.ts';
import {
  boundConnections,
  type ConnectionSettings,
  toMaxConnections,
} from './bound-connections.ts';
import { answerMalformedRequests } from './answer-malformed-requests.ts';
import { cutOffStalledAnswers } from './cut-off-stalled-answers.ts';
import { handleInTurn } from './handle-in-turn.ts';

/** A listening server. */
export interface HttpServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Connections that are open at most; more are closed at once. */
  readonly maxConnections: number;
  openConnections(): Promise<number>;
  /**
   * Waits at most this long for the requests in flight, then closes their connections, and stops listening. The app
   * answers what arrives meanwhile.
   */
  close(graceMs: number): Promise<void>;
}

type ServerSettings = ConnectionSettings &
  Pick<
    Settings,
    | 'host'
    | 'port'
    | 'headersTimeoutMs'
    | 'requestTimeoutMs'
    | 'keepAliveTimeoutMs'
    | 'responseStallTimeoutMs'
    | 'maxPipelinedRequests'
  >;

interface ServerOptions {
  readonly log: Logger;
  /** Counts a connection that was closed because too many are open. */
  readonly countDroppedConnection: () => void;
}

/** How late a timeout may be noticed. */
const timeoutCheckIntervalMs = 1_000;

/**
 * Listens on HOST and PORT.
 * @throws {SettingsError} they cannot be used, or the limit of open files is too low
 */
export async function listen(
  app: RequestListener,
  settings: ServerSettings,
  { log, countDroppedConnection }: ServerOptions,
): Promise<HttpServer> {
  const maxConnections = toMaxConnections(settings, readMaxOpenFiles(), log);
  const inFlight = new Set<ServerResponse>();
  const server = createServer(
    {
      headersTimeout: Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs),
      requestTimeout: settings.requestTimeoutMs,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(timeoutCheckIntervalMs, settings.headersTimeoutMs),
      // The app refuses requests without one, in the format of all errors.
      requireHostHeader: false,
    },
    handleInTurn((request, response) => {
      trackResponse(server, inFlight, response);
      app(request, response);
    }, settings.maxPipelinedRequests),
  );
  // The app refuses these expectations too; without a listener, Node would answer without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  boundConnections(server, inFlight, maxConnections, { log, countDropped: countDroppedConnection });
  answerMalformedRequests(server, inFlight);
  cutOffStalledAnswers(server, inFlight, settings.responseStallTimeoutMs, log);
  await startListening(server, settings);
  return {
    url: urlOf(server, settings.host),
    maxConnections,
    openConnections: promisify(server.getConnections.bind(server)),
    close: (graceMs) => closeServer(server, inFlight, graceMs),
  };
}

function startListening(server: Server, { host, port }: ServerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new SettingsError(listenErrorMessage(error, host, port), { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

function listenErrorMessage(error: NodeJS.ErrnoException, host: string, port: number): string {
  const where = `PORT ${String(port)} on HOST ${host}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is in use by another program; set PORT to a free one, or to 0 for any.`;
    case 'EACCES':
      return `${where} may not be used by this user; ports below 1024 often may not.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST ${host} is not an address of this machine.`;
    default:
      return `${where} cannot be listened on: ${error.message}`;
  }
}

function urlOf(server: Server, host: string): string {
  const { port, family } = server.address() as AddressInfo;
  const name = family === 'IPv6' && host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${String(port)}`;
}

function trackResponse(
  server: Server,
  inFlight: Set<ServerResponse>,
  response: ServerResponse,
): void {
  inFlight.add(response);
  response.once('close', () => {
    inFlight.delete(response);
    // A closed server needs no idle connections.
    if (!server.listening) server.closeIdleConnections();
  });
}

async function closeServer(
  server: Server,
  inFlight: ReadonlySet<ServerResponse>,
  graceMs: number,
): Promise<void> {
  const overdue = AbortSignal.timeout(graceMs);
  overdue.addEventListener('abort', () => server.closeAllConnections());
  const last = [...inFlight];
  for (const response of last) {
    if (!response.headersSent) response.setHeader('connection', 'close');
  }
  await Promise.all(
    last.map((response) => new Promise((resolve) => response.once('close', resolve))),
  );
  const closed = new Promise((resolve) => server.close(resolve));
  if (overdue.aborted) server.closeAllConnections();
  await closed;
}
