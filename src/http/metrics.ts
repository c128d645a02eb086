import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { Key } from './auth/keys.ts';
import { isDisconnected, routeOf } from './request-log.ts';
import type { Checked } from './routes/batch-items.ts';

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
export type CountDropped = (
  items: readonly Checked<unknown>[],
  requestId: string,
  key: Key,
) => void;

/** Counts dropped items by the type of their first validation issue. */
export function createDroppedCounter({ countDroppedPart }: Metrics, log: Logger): CountDropped {
  return (items, requestId, key) => {
    const types = items.flatMap((item) => ('issues' in item ? [item.issues[0]?.type ?? ''] : []));
    if (types.length === 0) return;
    for (const type of types) countDroppedPart(type);
    const line = {
      request_id: requestId,
      key: key.name,
      dropped: types.length,
      items: items.length,
      issues: [...new Set(types)],
    };
    log.warn(line, 'dropped invalid parts');
  };
}
