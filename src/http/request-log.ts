import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { isDisconnected } from './context.ts';

/** Gives every answer its `x-request-id`: the client's own where it is well-formed, else a new one. */
export function assignRequestId(): RequestHandler {
  return (request, response, next) => {
    const given = request.headers['x-request-id'];
    const usable = typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given);
    response.locals.requestId = usable ? given : randomUUID();
    response.set('x-request-id', response.locals.requestId);
    next();
  };
}

/** Logs one line a request, with no path, key or body in it: paths may hold ids. */
export function logRequests(log: Logger): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const line = {
        method: request.method,
        route: (request.route as { path?: string } | undefined)?.path ?? 'unmatched',
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

function levelOf(response: Response): 'info' | 'warn' | 'error' {
  if (isDisconnected(response) || response.statusCode < 500) return 'info';
  return response.statusCode === 500 ? 'error' : 'warn';
}

/** Names, messages and stacks of an error and its causes, and no other field: those may hold the body. */
function describeCause(cause: unknown): object | undefined {
  if (cause === undefined) return undefined;
  if (!(cause instanceof Error)) return { name: typeof cause };
  const { name, message, stack } = cause;
  return { name, message, stack, cause: describeCause(cause.cause) };
}
