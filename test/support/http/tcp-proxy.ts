import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy; closing it and opening it again on the same port simulates an outage of its target. */
export interface TcpProxy {
  readonly port: number;
  /** Keeps what the target sends until {@link release}. */
  hold(): void;
  release(): void;
  /** Stops listening and destroys all open connections. */
  close(): Promise<void>;
}

/**
 * Listens on a port of loopback and forwards each connection to `target`.
 * @param port 0 chooses a free one
 */
export async function openTcpProxy(target: URL, port = 0): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  /** Clients by the connections to the target. */
  const clients = new Map<Socket, Socket>();
  let isHeld = false;
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  };
  const server = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname);
    track(incoming);
    track(outgoing);
    clients.set(outgoing, incoming);
    incoming.pipe(outgoing);
    if (!isHeld) outgoing.pipe(incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => {
      clients.delete(outgoing);
      incoming.destroy();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => {
      isHeld = true;
      for (const [outgoing, incoming] of clients) outgoing.unpipe(incoming);
    },
    release: () => {
      isHeld = false;
      for (const [outgoing, incoming] of clients) outgoing.pipe(incoming);
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
