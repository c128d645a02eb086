import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';

interface NetworkLog {
  /** From method, path and status to the number of answers. */
  readonly requests: Record<string, number>;
  /** Hosts other than loopback that the process tried to connect to. */
  readonly blockedHosts: string[];
}

/** Counts the requests that this process makes with `fetch`, and blocks connections to hosts other than loopback. */
export function watchNetwork(): NetworkLog {
  const network: NetworkLog = { requests: {}, blockedHosts: [] };
  subscribe('undici:request:headers', (message) => {
    const { request, response } = message as {
      readonly request: { readonly method: string; readonly path: string };
      readonly response: { readonly statusCode: number };
    };
    const name = `${request.method} ${request.path} ${response.statusCode}`;
    network.requests[name] = (network.requests[name] ?? 0) + 1;
  });
  blockOtherHosts(network.blockedHosts);
  return network;
}

type Connect = (this: Socket, ...args: unknown[]) => Socket;

function blockOtherHosts(blockedHosts: string[]): void {
  const prototype = Socket.prototype as unknown as { connect: Connect };
  const { connect } = prototype;
  prototype.connect = function (...args) {
    const host = hostOf(args);
    if (host !== undefined && !['127.0.0.1', '::1', 'localhost'].includes(host)) {
      blockedHosts.push(host);
      throw new Error(`${host} is not this machine.`);
    }
    return connect.apply(this, args);
  };
}

/** The host in the arguments of `connect`: options, which Node itself passes in a list, or a port and a host. */
function hostOf([first, second]: readonly unknown[]): string | undefined {
  const options: unknown = Array.isArray(first) ? first[0] : first;
  if (typeof options !== 'object' || options === null) {
    return typeof second === 'string' ? second : undefined;
  }
  return 'host' in options && typeof options.host === 'string' ? options.host : undefined;
}
