import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { apiErrors } from '../api-errors.ts';
import { keyOf } from './require-key.ts';

/**
 * Refuses what one key asks for beyond so many requests of one second, with 429; 0 refuses nothing. Each service
 * counts for itself.
 */
export function limitRate(rateLimitPerSecond: number): RequestHandler[] {
  if (rateLimitPerSecond === 0) return [];
  const limit = rateLimit({
    windowMs: 1_000,
    limit: rateLimitPerSecond,
    keyGenerator: (_request, response) => keyOf(response).sha256.toString('hex'),
    standardHeaders: false,
    legacyHeaders: false,
    handler: () => {
      throw apiErrors.tooManyRequests(
        `This key may send ${rateLimitPerSecond} requests a second; try again.`,
      );
    },
  });
  return [limit];
}
