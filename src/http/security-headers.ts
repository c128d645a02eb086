import type { RequestHandler } from 'express';

/**
 * Headers of every answer: it is what its type says, no cache or frame of a page contains it, and links in it do not tell
 * where they were. Routes whose answers are files replace some of them.
 */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

/** Sets {@link securityHeaders}. */
export function setSecurityHeaders(): RequestHandler {
  return (_request, response, next) => {
    response.set(securityHeaders);
    next();
  };
}
