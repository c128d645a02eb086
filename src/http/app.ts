import express, { Router, type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Readiness } from '../readiness.ts';
import { apiErrors } from './api-errors.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import { restrictOrigins } from './auth/cross-origin.ts';
import type { Key } from './auth/keys.ts';
import { limitRate, requireKey } from './auth/require-key.ts';
import { sendErrors } from './errors.ts';
import { createDroppedCounter, measureRequests } from './metrics.ts';
import { assignRequestId, logRequests } from './request-log.ts';
import { addRoutes, type BodyLimits } from './route.ts';
import { type Services, routeTable } from './route-table.ts';
import { setSecurityHeaders } from './security-headers.ts';
import type { OpenApi } from './validation/openapi.ts';

export interface AppOptions extends Omit<Services, 'countDropped'> {
  /** The keys at the time of a request. */
  readonly getKeys: () => readonly Key[];
  readonly log: Logger;
  readonly memoryBudget: MemoryBudget;
  readonly bodyLimits: BodyLimits;
  /** Spans of one request at most. */
  readonly maxSpans: number;
  /** Maximum number of requests per key and second; 0 for no limit. */
  readonly rateLimitPerSecond: number;
  /** Wrong keys per remote address and minute; 0 for no limit. */
  readonly authFailuresPerMinute: number;
  /** Origins whose pages may send requests from a browser. */
  readonly corsOrigins: readonly string[];
}

/** The HTTP layer: every request passes these middlewares in this order. */
export function createApp(options: AppOptions): Express {
  const { getKeys, log, metrics, readiness, openApi, bodyLimits, memoryBudget, maxSpans } = options;
  const countDropped = createDroppedCounter(metrics, log);
  const routes = routeTable({ ...options, countDropped });
  const publicRoutes = routes.filter(({ scope }) => scope === 'public');
  const keyRoutes = routes.filter(({ scope }) => scope !== 'public');
  const { keepPayloads } = options.partInserter;
  const context = { openApi, bodyLimits, memoryBudget, maxSpans, readiness, keepPayloads };

  const router = Router({ caseSensitive: true, strict: true });
  validateParameters(router, openApi);
  addRoutes(router, publicRoutes, context);
  // Public routes are probes, which are answered until the end.
  router.use(refuseWhenStopping(readiness));
  router.use(
    requireKey(getKeys, options.authFailuresPerMinute),
    ...limitRate(options.rateLimitPerSecond),
  );
  addRoutes(router, keyRoutes, context);
  router.use(() => {
    throw apiErrors.notFound();
  });

  const app = express().disable('x-powered-by').disable('etag').set('query parser', false);
  app.use(
    ...[setSecurityHeaders(), assignRequestId(), logRequests(log), measureRequests(metrics)],
    ...[endConnections(readiness), checkHeaders, restrictOrigins(options.corsOrigins)],
    ...[router, sendErrors()],
  );
  return app;
}

/** A batch of no items has no project id, so the project of its path is validated by itself. */
function validateParameters(router: Router, openApi: OpenApi): void {
  for (const name of ['Entity', 'Project'] as const) {
    const validator = openApi.parameterValidatorOf(name);
    const parameter = name.toLowerCase();
    router.param(parameter, (_request, _response, next, value: string) => {
      validator.parse(value, ['path', parameter]);
      next();
    });
  }
}

/** @throws {NotReadyError} the service is stopping */
function refuseWhenStopping(readiness: Readiness): RequestHandler {
  return (_request, _response, next) => {
    readiness.requireRunning();
    next();
  };
}

/** While the service drains, its clients open their next connection to another one. */
function endConnections(readiness: Readiness): RequestHandler {
  return (_request, response, next) => {
    if (readiness.isLeaving) response.set('connection', 'close');
    next();
  };
}

/** Refuses what a server of HTTP/1.1 has to refuse; Node would do it in another format. */
const checkHeaders: RequestHandler = (
  { headers: { host, expect }, httpVersion },
  _response,
  next,
) => {
  if (httpVersion === '1.1' && host === undefined) {
    throw apiErrors.badRequest('The request has no Host header.');
  }
  if (httpVersion === '1.1' && expect !== undefined && !/^100-continue$/i.test(expect)) {
    throw apiErrors.expectationFailed('The only supported expectation is 100-continue.');
  }
  next();
};
