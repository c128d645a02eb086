import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';

/** What a process said over the network. */
export interface Network {
  /** From method, path and status to how often. */
  readonly requests: Record<string, number>;
  readonly outside: string[];
}

/** Counts the requests that this process makes with `fetch`, and refuses every address that is not loopback. */
export function watchNetwork(): Network {
  const network: Network = { requests: {}, outside: [] };
  subscribe('undici:request:headers', (message) => {
    const { request, response } = message as {
      readonly request: { readonly method: string; readonly path: string };
      readonly response: { readonly statusCode: number };
    };
    const name = `${request.method} ${request.path} ${response.statusCode}`;
    network.requests[name] = (network.requests[name] ?? 0) + 1;
  });
  refuseOutside(network.outside);
  return network;
}

type Connect = (this: Socket, ...args: unknown[]) => Socket;

function refuseOutside(outside: string[]): void {
  const prototype = Socket.prototype as unknown as { connect: Connect };
  const { connect } = prototype;
  prototype.connect = function (...args) {
    const host = hostOf(args);
    if (host !== undefined && !['127.0.0.1', '::1', 'localhost'].includes(host)) {
      outside.push(host);
      throw new Error(`${host} is not this machine.`);
    }
    return connect.apply(this, args);
  };
}

/** Where a socket is to connect: options, as Node itself passes them in a list, or a port and a host. */
function hostOf([first, second]: readonly unknown[]): string | undefined {
  const options: unknown = Array.isArray(first) ? first[0] : first;
  if (typeof options !== 'object' || options === null) {
    return typeof second === 'string' ? second : undefined;
  }
  return 'host' in options && typeof options.host === 'string' ? options.host : undefined;
}
