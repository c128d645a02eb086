import type { Request, RequestHandler, Response } from 'express';
import type { Hold } from '../calls/held-bytes.ts';
import type { PartStore } from '../calls/part-store.ts';

/** How many times larger a compressed body is taken to be than what arrives of it. */
const expansion = 10;

interface HoldOptions {
  readonly partStore: PartStore;
  readonly bodyLimitBytes: number;
}

/**
 * Counts a body as held, before it is read and until its request is answered; where too much is held already,
 * the request is refused unread. A body of unknown length counts only once it is read.
 */
export function holdBody({ partStore, bodyLimitBytes }: HoldOptions): RequestHandler {
  return (request, response, next) => {
    const hold = partStore.held.hold(Math.min(bytesOf(request), bodyLimitBytes));
    response.locals.heldBody = hold;
    response.once('close', () => {
      hold.release();
    });
    next();
  };
}

function bytesOf({ headers }: Request): number {
  const bytes = Number(headers['content-length'] ?? 0);
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding === 'identity' ? bytes : bytes * expansion;
}

/** What {@link holdBody} holds of a request. */
export function heldBodyOf(response: Response): Hold {
  const { heldBody } = response.locals;
  if (heldBody === undefined) throw new TypeError('This route does not hold its bodies.');
  return heldBody;
}

/** The body of a request, which does not refer to it any more. */
export function takeBody(request: Request): unknown {
  const body: unknown = request.body;
  request.body = undefined;
  return body;
}
