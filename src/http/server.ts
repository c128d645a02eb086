import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Settings, SettingsError } from '../settings.ts';

/** A listening server. */
export interface HttpServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Stops listening, waits at most this long for requests in flight, then closes their connections. */
  close(graceMs: number): Promise<void>;
}

type ServerSettings = Pick<
  Settings,
  'host' | 'port' | 'headersTimeoutMs' | 'requestTimeoutMs' | 'keepAliveTimeoutMs'
>;

/**
 * Listens on HOST and PORT.
 * @throws {SettingsError} they cannot be used
 */
export async function listen(app: RequestListener, settings: ServerSettings): Promise<HttpServer> {
  const server = createServer(
    {
      headersTimeout: Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs),
      requestTimeout: settings.requestTimeoutMs,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, settings.headersTimeoutMs),
    },
    app,
  );
  server.on('clientError', answerBadRequest);
  const inFlight = trackResponses(server);
  await startListening(server, settings);
  return {
    url: urlOf(server, settings.host),
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

/** Malformed HTTP never reaches the app; its errors have the same format as all others. */
function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = badRequests[error.code ?? ''] ?? ['400 Bad Request', 'Bad Request'];
  const body = JSON.stringify({ detail });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n` +
      `content-length: ${String(body.length)}\r\nx-request-id: ${randomUUID()}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

const badRequests: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'Request Timeout'],
};

function trackResponses(server: Server): ReadonlySet<ServerResponse> {
  const inFlight = new Set<ServerResponse>();
  server.on('request', (_request, response) => {
    inFlight.add(response);
    response.once('close', () => {
      inFlight.delete(response);
      // A closed server needs no idle connections.
      if (!server.listening) server.closeIdleConnections();
    });
  });
  return inFlight;
}

function closeServer(
  server: Server,
  inFlight: ReadonlySet<ServerResponse>,
  graceMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    for (const response of inFlight) {
      if (!response.headersSent) response.setHeader('connection', 'close');
    }
  });
}
