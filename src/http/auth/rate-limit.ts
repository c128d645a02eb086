import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { apiErrors } from '../../errors.ts';
import { keyOf } from './require-key.ts';

/**
 * Refuses what one key asks for beyond so many requests of one second, with 429; 0 refuses nothing. Each service
 * counts for itself.
 */
export function limitRate(requestsPerSecond: number): RequestHandler[] {
  if (requestsPerSecond === 0) return [];
  const limit = rateLimit({
    windowMs: 1_000,
    limit: requestsPerSecond,
    keyGenerator: (_request, response) => keyOf(response).sha256.toString('hex'),
    standardHeaders: false,
    legacyHeaders: false,
    handler: () => {
      throw apiErrors.tooManyRequests(
        `This key may send ${requestsPerSecond} requests a second; try again.`,
      );
    },
  });
  return [limit];
}
