import type { Request, RequestHandler, Response } from 'express';
import type { Reservation } from '../../ingest/memory-budget.ts';
import type { PartInserter } from '../../ingest/part-inserter.ts';

/** How many times larger a compressed body is taken to be than what arrives of it. */
const expansion = 10;

interface ReserveOptions {
  readonly partInserter: PartInserter;
  readonly bodyLimitBytes: number;
}

/**
 * Counts a body as held, before it is read and until its request is answered; where too much is held already,
 * the request is refused unread. A body of unknown length counts only once it is read.
 */
export function reserveBody({ partInserter, bodyLimitBytes }: ReserveOptions): RequestHandler {
  return (request, response, next) => {
    const reservation = partInserter.memoryBudget.reserve(
      Math.min(bytesOf(request), bodyLimitBytes),
    );
    response.locals.bodyReservation = reservation;
    response.once('close', () => {
      reservation.release();
    });
    next();
  };
}

function bytesOf({ headers }: Request): number {
  const bytes = Number(headers['content-length'] ?? 0);
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding === 'identity' ? bytes : bytes * expansion;
}

/** What {@link reserveBody} holds of a request. */
export function bodyReservationOf(response: Response): Reservation {
  const { bodyReservation } = response.locals;
  if (bodyReservation === undefined) throw new TypeError('This route does not hold its bodies.');
  return bodyReservation;
}

/** The body of a request, which does not refer to it any more. */
export function takeBody(request: Request): unknown {
  const body: unknown = request.body;
  request.body = undefined;
  return body;
}
