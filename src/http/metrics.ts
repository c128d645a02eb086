import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { Key } from './auth/keys.ts';
import { isDisconnected, routeOf } from './request-log.ts';
import type { DroppedItems } from './routes/batch-items.ts';

/** GET /metrics: all metrics in Prometheus's text format 0.0.4. */
export function sendMetrics({ registry }: Metrics): RequestHandler {
  return async (_request, response) => {
    const text = await registry.metrics();
    response.set({ 'content-type': registry.contentType, 'cache-control': 'no-store' }).end(text);
  };
}

/** Observes each request when its response is closed. */
export function measureRequests({ observeRequest }: Metrics): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      observeRequest({
        route: routeOf(request),
        method: request.method,
        status: isDisconnected(response) ? undefined : response.statusCode,
        durationMs: performance.now() - startedAt,
      });
    });
    next();
  };
}

/** Counts the dropped items of a batch, and logs one line for them. */
export type CountDropped = (dropped: DroppedItems, requestId: string, key: Key) => void;

/** Counts dropped items by the type of their first validation issue. */
export function createDroppedCounter({ countDroppedParts }: Metrics, log: Logger): CountDropped {
  return ({ countByType, items }, requestId, key) => {
    if (countByType.size === 0) return;
    for (const [type, count] of countByType) countDroppedParts(type, count);
    const line = {
      request_id: requestId,
      key: key.name,
      dropped: [...countByType.values()].reduce((sum, count) => sum + count, 0),
      items,
      issues: [...countByType.keys()],
    };
    log.warn(line, 'dropped invalid parts');
  };
}
