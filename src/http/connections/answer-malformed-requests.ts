import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { securityHeaders } from '../security-headers.ts';

/** How long a client may take to read the answer before its socket is destroyed, whether it closes or not. */
const lingerMs = 1_000;

/**
 * Answers what never reaches the app, in the same format as all other errors: malformed HTTP, headers that are too
 * large, requests that arrive too slowly, CONNECT. Then the socket is destroyed, which frees what the request held.
 * @param inFlight the responses that are not finished
 */
export function answerMalformedRequests(
  server: Server,
  inFlight: ReadonlySet<ServerResponse>,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const hasBegun = [...inFlight].some(
      (response) => response.socket === socket && response.headersSent,
    );
    // A second answer within the first one would not be HTTP.
    if (error.code === 'ECONNRESET' || hasBegun || !socket.writable) socket.destroy();
    else endSocket(socket, statusOf(error));
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined);
    endSocket(socket, 405, 'allow: GET, HEAD, POST\r\n');
  });
}

function statusOf({ code }: NodeJS.ErrnoException): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

const securityLines = Object.entries(securityHeaders)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

function endSocket(socket: Duplex, status: number, headers = ''): void {
  const reason = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ detail: reason });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${body.length}\r\nx-request-id: ${randomUUID()}\r\n${headers}${securityLines}` +
      `connection: close\r\n\r\n${body}`,
  );
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => {
    clearTimeout(timer);
  });
}
