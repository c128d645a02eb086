import type { Server, ServerResponse } from 'node:http';
import type { Logger } from 'pino';

/** What was seen of an answer that is being sent. */
interface Progress {
  /** Bytes of its connection that the operating system has accepted. */
  readonly acceptedBytes: number;
  /** When the number was first seen, in milliseconds of `performance.now()`. */
  readonly since: number;
  /** How often it was seen again. */
  readonly looks: number;
}

/** How often answers are looked at within the time that they may stall. */
const looksPerTimeout = 6;

/** How often an answer has to be seen without progress before it is cut off. */
const minLooks = looksPerTimeout - 1;

const maxLookIntervalMs = 5_000;

/**
 * Destroys the connection of an answer of which the client has read nothing for `timeoutMs`; one that it reads slowly
 * goes on. Answers are written in pieces of 16 KiB, and a piece that was read is progress.
 * @param inFlight the responses that are not finished
 */
export function cutOffStalledAnswers(
  server: Server,
  inFlight: ReadonlySet<ServerResponse>,
  timeoutMs: number,
  log: Logger,
): void {
  const seen = new WeakMap<ServerResponse, Progress>();
  const look = (): void => {
    const now = performance.now();
    for (const response of inFlight) {
      const progress = toProgress(response, seen.get(response), now);
      if (progress === undefined) continue;
      seen.set(response, progress);
      // A process that was stopped itself has seen nothing meanwhile.
      if (now - progress.since < timeoutMs || progress.looks < minLooks) continue;
      const details = { request_id: response.getHeader('x-request-id'), timeout_ms: timeoutMs };
      log.warn(details, 'cut off an answer that its client does not read');
      response.socket?.destroy();
    }
  };
  const timer = setInterval(look, Math.min(timeoutMs / looksPerTimeout, maxLookIntervalMs));
  timer.unref();
  server.once('close', () => {
    clearInterval(timer);
  });
}

/** @returns undefined as long as nothing of the answer waits for its client */
function toProgress(
  { headersSent, socket }: ServerResponse,
  last: Progress | undefined,
  now: number,
): Progress | undefined {
  if (!headersSent || socket === null) return undefined;
  const acceptedBytes = socket.bytesWritten - socket.writableLength;
  return last?.acceptedBytes === acceptedBytes && socket.writableLength > 0
    ? { ...last, looks: last.looks + 1 }
    : { acceptedBytes, since: now, looks: 0 };
}
