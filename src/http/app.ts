import express, { Router, type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { PartStore } from '../calls/part-store.ts';
import type { Engine } from '../engine/engine.ts';
import type { LearnModels } from '../prices/learn-models.ts';
import type { SharingLimits } from '../usage/shared-reading.ts';
import { apiErrors } from '../errors.ts';
import { requireKey } from './auth.ts';
import { callRoutes } from './call-routes.ts';
import { answerErrors } from './errors.ts';
import type { Key } from './keys.ts';
import { createDroppedCounter, createPricedCounter } from './metrics.ts';
import { noteRoutes } from './note-routes.ts';
import { objectRoutes } from './object-routes.ts';
import type { OpenApi } from './openapi.ts';
import { priceRoutes } from './price-routes.ts';
import { limitRate } from './rate-limit.ts';
import { giveRequestId, logRequests } from './request-log.ts';
import { addRoutes } from './route.ts';
import { descriptionRoutes, healthRoutes } from './service-routes.ts';
import { tableRoutes } from './table-routes.ts';
import { usageRoutes } from './usage-routes.ts';

/** What the edge is made of. */
export interface AppOptions {
  readonly engine: Engine;
  readonly partStore: PartStore;
  readonly openApi: OpenApi;
  readonly keys: readonly Key[];
  readonly log: Logger;
  readonly metrics: Registry;
  /** Largest body, after decompression. */
  readonly bodyLimitBytes: number;
  /** Requests of one key in one second at most; 0 for any number. */
  readonly requestsPerSecond: number;
  readonly usageSharing: SharingLimits;
  readonly learnModels: LearnModels;
  /** Fires when the service stops; requests that come after it are refused. */
  readonly stopping: AbortSignal;
}

/** The service's HTTP side: from a request to a function of calls, usage or prices, and back. */
export function createApp(options: AppOptions): Express {
  const { engine, openApi, keys, log, metrics, stopping } = options;
  const countDropped = createDroppedCounter(metrics, log);
  const router = Router({ caseSensitive: true, strict: true });
  addRoutes(router, healthRoutes(engine));
  router.use(requireKey(keys), ...limitRate(options.requestsPerSecond));
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
  app.use(giveRequestId(), logRequests(log), refuseWhenStopping(stopping), router, answerErrors());
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
