import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Handles the requests of one connection one after another, as their answers are sent. Node would handle all that a
 * client has pipelined at once: a thousand in 64 KB, whose answers nothing bounds, and which are never closed when the
 * connection is.
 * @param maxWaiting requests that may wait on one connection; one more destroys it
 */
export function handleInTurn(listener: RequestListener, maxWaiting: number): RequestListener {
  const waitingBySocket = new WeakMap<Socket, (() => void)[]>();
  return (request, response) => {
    const { socket } = request;
    const waiting = waitingBySocket.get(socket) ?? [];
    const handle = (): void => {
      response.once('close', () => {
        const next = waiting.shift();
        if (next === undefined) waitingBySocket.delete(socket);
        else if (!socket.destroyed) next();
      });
      listener(request, response);
    };
    // Node hands over what it has parsed, even after the connection was destroyed.
    if (socket.destroyed) return;
    if (!waitingBySocket.has(socket)) {
      waitingBySocket.set(socket, waiting);
      handle();
    } else if (waiting.length < maxWaiting) waiting.push(handle);
    else socket.destroy();
  };
}
