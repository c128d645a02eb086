import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Key } from './auth/keys.ts';
import type { Checked } from './routes/batch-items.ts';

/** Counts the items of a batch that were dropped, and logs one line if any were. */
export type CountDropped = (
  items: readonly Checked<unknown>[],
  requestId: string,
  key: Key,
) => void;

/** Keeps `calls_usage_dropped_parts_total`, by the type of an item's first fault. */
export function createDroppedCounter(registry: Registry, log: Logger): CountDropped {
  const counter = new Counter({
    name: 'calls_usage_dropped_parts_total',
    help: 'Parts of batches that can never be stored and were dropped, by their first fault.',
    labelNames: ['fault'],
    registers: [registry],
  });
  return (items, requestId, key) => {
    const issues = items.flatMap((item) => ('issues' in item ? [item.issues[0]?.type ?? ''] : []));
    if (issues.length === 0) return;
    for (const issue of issues) counter.inc({ fault: issue });
    const line = {
      request_id: requestId,
      key: key.name,
      dropped: issues.length,
      items: items.length,
      issues: [...new Set(issues)],
    };
    log.warn(line, 'dropped parts that can never be stored');
  };
}

/** Told of every answer with costs, whether each model in it has a price. */
export type CountPriced = (isPriced: boolean) => void;

/** Keeps `calls_usage_answers_with_costs_total`, by whether every model in an answer had a price. */
export function createPricedCounter(registry: Registry): CountPriced {
  const counter = new Counter({
    name: 'calls_usage_answers_with_costs_total',
    help: 'Answers of /calls/usage with costs, by whether every model in them has a price.',
    labelNames: ['priced'],
    registers: [registry],
  });
  return (isPriced) => {
    counter.inc({ priced: isPriced ? 'all' : 'not all' });
  };
}
