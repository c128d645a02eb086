import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Passes connections on to a port of this machine. */
export interface TcpRelay {
  /** Where it listens; the same after each `listen`. */
  readonly port: number;
  listen(): Promise<void>;
  /** Refuses new connections and ends those that are open. */
  close(): Promise<void>;
}

/**
 * Starts a relay that ends the connection to the port in order, whatever the other side does. The embedded server needs
 * it between nodes: as clickhouse-local it has no handler for errors of its TCP connections, and one that a node resets,
 * as nodes do when they need no more of an answer, ends the process. A ClickHouse server logs it.
 */
export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const side of [socket, target]) {
      sockets.add(side);
      side.once('close', () => sockets.delete(side));
    }
    socket.pipe(target).on('error', () => socket.destroy());
    target.pipe(socket, { end: false }).on('error', () => {
      target.unpipe(socket).resume();
      target.end();
    });
    target.once('end', () => socket.end());
  });
  const port = await listenOn(server, 0);
  return {
    port,
    listen: async () => {
      await listenOn(server, port);
    },
    close: async () => {
      const closed = once(server.close(), 'close');
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listenOn(server: Server, port: number): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
