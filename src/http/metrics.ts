import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Key } from './auth/keys.ts';
import type { Checked } from './routes/batch-items.ts';

/** Counts the dropped items of a batch, and logs one line for them. */
export type CountDropped = (
  items: readonly Checked<unknown>[],
  requestId: string,
  key: Key,
) => void;

/** Counter `calls_usage_dropped_parts_total`, by the type of the first validation issue. */
export function createDroppedCounter(registry: Registry, log: Logger): CountDropped {
  const counter = new Counter({
    name: 'calls_usage_dropped_parts_total',
    help: 'Invalid parts that were dropped from batches, by type of their first validation issue.',
    labelNames: ['fault'],
    registers: [registry],
  });
  return (items, requestId, key) => {
    const types = items.flatMap((item) => ('issues' in item ? [item.issues[0]?.type ?? ''] : []));
    if (types.length === 0) return;
    for (const type of types) counter.inc({ fault: type });
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

/** Counts an answer with costs, by whether each of its models has a price. */
export type CountPriced = (isPriced: boolean) => void;

/** Counter `calls_usage_answers_with_costs_total`, by whether every model of an answer has a price. */
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

/** Counter `calls_usage_dropped_connections_total`. */
export function createDroppedConnectionCounter(registry: Registry): () => void {
  const counter = new Counter({
    name: 'calls_usage_dropped_connections_total',
    help: 'Connections that were closed at once because MAX_CONNECTIONS were open.',
    registers: [registry],
  });
  return () => {
    counter.inc();
  };
}
