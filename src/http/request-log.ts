import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Key } from './auth/keys.ts';

declare module 'express-serve-static-core' {
  // The type of `response.locals`: what middlewares record for the log line of the request.
  interface Locals {
    requestId: string;
    /** Absent until the request is authenticated. */
    key?: Key;
    /** Why the request failed; it is logged, never sent. */
    cause?: unknown;
  }
}

/** Sets `x-request-id` of every response: the client's id if it is well-formed, else a new one. */
export function assignRequestId(): RequestHandler {
  return (request, response, next) => {
    const clientId = request.headers['x-request-id'];
    const isUsable = typeof clientId === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(clientId);
    response.locals.requestId = isUsable ? clientId : randomUUID();
    response.set('x-request-id', response.locals.requestId);
    next();
  };
}

/** Logs one line per request. It has the route instead of the path, since paths contain ids, and no key or body. */
export function logRequests(log: Logger): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const line = {
        method: request.method,
        route: routeOf(request),
        status: isDisconnected(response) ? 499 : response.statusCode,
        duration_ms: Math.round(performance.now() - startedAt),
        request_id: response.locals.requestId,
        key: response.locals.key?.name,
        error: isDisconnected(response) ? undefined : describeCause(response.locals.cause),
      };
      log[levelOf(response)](line, 'request');
    });
    next();
  };
}

/** The path of the matching route in the route table; `unmatched` if there is none, or the request has no valid key. */
export function routeOf(request: Request): string {
  return (request.route as { path?: string } | undefined)?.path ?? 'unmatched';
}

/** Whether the client disconnected before it had its answer. */
export function isDisconnected(response: Response): boolean {
  return !response.writableFinished && (response.destroyed || response.socket?.destroyed !== false);
}

function levelOf(response: Response): 'info' | 'warn' | 'error' {
  if (isDisconnected(response) || response.statusCode < 500) return 'info';
  return response.statusCode === 500 ? 'error' : 'warn';
}

/** Name, message and stack of an error and of its causes; other fields may contain the body. */
function describeCause(cause: unknown): object | undefined {
  if (cause === undefined) return undefined;
  if (!(cause instanceof Error)) return { name: typeof cause };
  const { name, message, stack } = cause;
  return { name, message, stack, cause: describeCause(cause.cause) };
}
