import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { RepeatedLines } from '../repeated-lines.ts';
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

/**
 * Logs one line per request. Of those that fail with 503 for the same reason, only the first is logged, and then one line
 * a second with their number; the others are written at the level debug. A line has the route instead of the path, since paths contain ids, and no key or body. */
export function logRequests(log: Logger): RequestHandler {
  const refusals = new RepeatedLines();
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
        error: isDisconnected(response) ? undefined : describeFailure(response),
      };
      const isLogged = line.status !== 503 || isFirstRefusal(refusals, line.error, log);
      log[isLogged ? levelOf(response) : 'debug'](line, 'request');
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

function isFirstRefusal(
  refusals: RepeatedLines,
  error: LoggedError | undefined,
  log: Logger,
): boolean {
  return refusals.isFirst(error?.name ?? '', (requests) => {
    log.warn({ status: 503, requests, error }, 'more requests failed alike');
  });
}

interface LoggedError {
  readonly name: string;
  readonly message?: string;
}

/** A 503 is expected during an outage, so the stack would say nothing; any other failure has it. */
function describeFailure(response: Response): LoggedError | undefined {
  const { cause } = response.locals;
  if (response.statusCode !== 503 || !(cause instanceof Error)) return describeCause(cause);
  return { name: cause.name, message: toShortMessage(cause) };
}

const maxMessageLength = 300;

/** The message of an error and that of its first cause. */
function toShortMessage(error: Error): string {
  let root = error;
  while (root.cause instanceof Error) root = root.cause;
  const text = root === error ? error.message : `${error.message}: ${root.message || root.name}`;
  return text.slice(0, maxMessageLength);
}

/** Name, message and stack of an error and of its causes; other fields may contain the body. */
function describeCause(
  cause: unknown,
):
  | (LoggedError & { readonly stack?: string | undefined; readonly cause?: object | undefined })
  | undefined {
  if (cause === undefined) return undefined;
  if (!(cause instanceof Error)) return { name: typeof cause };
  const { name, message, stack } = cause;
  return { name, message, stack, cause: describeCause(cause.cause) };
}
