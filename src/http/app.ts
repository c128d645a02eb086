import express, { Router, type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { PartInserter } from '../ingest/part-inserter.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { ResolveAliases } from '../prices/resolve-aliases.ts';
import type { CoalescingLimits } from '../usage/coalesce-queries.ts';
import { apiErrors } from '../errors.ts';
import { requireKey } from './auth/require-key.ts';
import { callRoutes } from './routes/call-routes.ts';
import { sendErrors } from './errors.ts';
import type { Key } from './auth/keys.ts';
import { createDroppedCounter, createPricedCounter } from './metrics.ts';
import { noteRoutes } from './compat/feedback-routes.ts';
import { objectRoutes } from './compat/object-routes.ts';
import type { OpenApi } from './validation/openapi.ts';
import { priceRoutes } from './routes/cost-routes.ts';
import { limitRate } from './auth/rate-limit.ts';
import { assignRequestId, logRequests } from './request-log.ts';
import { addRoutes } from './routes/route.ts';
import { descriptionRoutes, healthRoutes } from './routes/service-routes.ts';
import { tableRoutes } from './compat/table-routes.ts';
import { usageRoutes } from './routes/usage-routes.ts';

/** What the edge is made of. */
export interface AppOptions {
  readonly clickhouse: ClickHouse;
  readonly partInserter: PartInserter;
  readonly openApi: OpenApi;
  readonly keys: readonly Key[];
  readonly log: Logger;
  readonly metrics: Registry;
  /** Largest body, after decompression. */
  readonly bodyLimitBytes: number;
  /** Requests of one key in one second at most; 0 for any number. */
  readonly rateLimitPerSecond: number;
  readonly usageSharing: CoalescingLimits;
  readonly resolveAliases: ResolveAliases;
  /** Fires when the service stops; requests that come after it are refused. */
  readonly stopping: AbortSignal;
}

/** The service's HTTP side: from a request to a function of calls, usage or prices, and back. */
export function createApp(options: AppOptions): Express {
  const { clickhouse, openApi, keys, log, metrics, stopping } = options;
  const countDropped = createDroppedCounter(metrics, log);
  const router = Router({ caseSensitive: true, strict: true });
  addRoutes(router, healthRoutes(clickhouse));
  router.use(requireKey(keys), ...limitRate(options.rateLimitPerSecond));
  addRoutes(router, usageRoutes({ ...options, countPriced: createPricedCounter(metrics) }));
  addRoutes(router, callRoutes({ ...options, countDropped }));
  addRoutes(router, objectRoutes(options));
  addRoutes(router, tableRoutes(options));
  addRoutes(router, noteRoutes(options));
  addRoutes(router, priceRoutes(options));
  addRoutes(router, descriptionRoutes(openApi));
  router.use(() => {
    throw apiErrors.notFound();
  });

  const app = express().disable('x-powered-by').disable('etag').set('query parser', false);
  app.use(assignRequestId(), logRequests(log), refuseWhenStopping(stopping), router, sendErrors());
  return app;
}

function refuseWhenStopping(stopping: AbortSignal): RequestHandler {
  return (_request, response, next) => {
    if (stopping.aborted) {
      response.set('connection', 'close');
      throw apiErrors.unavailable('The service is stopping.');
    }
    next();
  };
}
