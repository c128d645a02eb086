import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { basicAuthorization, testKey } from './service.ts';

export interface TcpClient {
  readonly socket: Socket;
  /** The text received so far. */
  readonly received: () => string;
}

/** Opens a TCP connection to a service, from an address of this machine; it is closed when the current test ends. */
export async function useTcpClient(url: string, localAddress?: string): Promise<TcpClient> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connect({ port: Number(port), host, ...(localAddress && { localAddress }) });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return { socket, received: () => text };
}

/** Request line and headers of a POST; the service answers {@link continueAnswer} before it reads the body. */
export function toRequestHead(
  path: string,
  contentLength: number,
  contentType = 'application/json',
): string {
  return (
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${basicAuthorization(testKey)}\r\n` +
    `content-type: ${contentType}\r\ncontent-length: ${String(contentLength)}\r\n` +
    'expect: 100-continue\r\n\r\n'
  );
}

export const continueAnswer = 'HTTP/1.1 100 Continue\r\n\r\n';
