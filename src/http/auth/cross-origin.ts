import cors from 'cors';
import type { Request, RequestHandler } from 'express';
import { apiErrors } from '../api-errors.ts';

/** How long a browser may remember the answer to a preflight request, in seconds. */
const preflightMaxAgeS = 600;

/**
 * Refuses what pages of other origins make a browser send, unless their origin is allowed: a browser that knows the
 * password of the service adds it to such requests too. Clients other than browsers are not concerned.
 *
 * For allowed origins it adds CORS headers and answers preflight requests. Credentials that the browser stores are never
 * allowed across origins: a page sends its key in `Authorization`.
 *
 * @param allowedOrigins such as `https://dashboard.example`
 */
export function restrictOrigins(allowedOrigins: readonly string[]): RequestHandler {
  const addCorsHeaders = cors({
    origin: [...allowedOrigins],
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: ['x-request-id', 'x-unknown-calls', 'x-unknown-projects', 'retry-after'],
    maxAge: preflightMaxAgeS,
  });
  return (request, response, next) => {
    if (allowedOrigins.length > 0) response.vary('origin');
    if (allowedOrigins.includes(request.headers.origin ?? '')) {
      addCorsHeaders(request, response, next);
      return;
    }
    if (isCrossOrigin(request) && !isNavigation(request)) {
      throw apiErrors.forbidden(
        'Requests by pages of other origins are refused, unless CORS_ORIGINS contains the origin.',
      );
    }
    next();
  };
}

/** Browsers send `Sec-Fetch-Site` to https and loopback addresses only, and `Origin` with every POST. */
function isCrossOrigin({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return headers.origin !== undefined && !isOriginOf(headers.origin, headers.host ?? '');
}

/** Compares without the scheme: a proxy that terminates TLS does not say that it does. */
function isOriginOf(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  const own = `${url.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === url.host;
}

/** Whether a link was followed, such as one to `/docs`: the page that has the link does not see the answer. */
function isNavigation({ method, headers }: Request): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document'
  );
}
