import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  ClickHouseOverloadedError,
  ClickHouseUnavailableError,
  DiskFullError,
  DamagedDataError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../clickhouse/errors.ts';

/** A number, or one number for each value of a label. */
type Reading = number | Readonly<Record<string, number>>;

/** A metric whose value is known elsewhere, and read when metrics are requested. */
export interface ReadMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** The name of the label, where `read` returns one number for each of its values. */
  readonly label?: string;
  readonly read: () => Reading | Promise<Reading>;
}

/** An answered request, or one whose client disconnected before. */
export interface ObservedRequest {
  /** The path in the route table, or `unmatched`. */
  readonly route: string;
  readonly method: string;
  /** Undefined when the client disconnected. */
  readonly status: number | undefined;
  readonly durationMs: number;
}

/** Upper bounds in seconds: of what is fast on an idle machine, and of what the time limits allow. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

const rowBuckets = [1, 10, 100, 1_000, 10_000, 100_000];

const byteBuckets = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/** The methods that the service or browsers use; clients may send any other. */
const methods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'POST'];

/**
 * All metrics of one service. The parts of the service that know a number either call one of these functions, which
 * they get as a callback, or have it read at each request for metrics, see {@link Metrics.watch}. Labels have a closed
 * set of values: none comes from a client.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #droppedParts = this.#counter(
    'calls_usage_dropped_parts_total',
    'Invalid parts and spans that were dropped, by type of their first validation issue.',
    'fault',
  );
  readonly #answersWithCosts = this.#counter(
    'calls_usage_answers_with_costs_total',
    'Answers of /calls/usage with costs, by whether every model in them has a price.',
    'priced',
  );
  readonly #droppedConnections = this.#counter(
    'calls_usage_dropped_connections_total',
    'Connections that were closed because more than MAX_CONNECTIONS were open.',
  );
  readonly #requests = this.#histogram(
    'calls_usage_http_request_duration_seconds',
    'Time from the headers of a request to the end of its answer.',
    durationBuckets,
    ...['route', 'method', 'status'],
  );
  readonly #queries = this.#histogram(
    'calls_usage_clickhouse_request_duration_seconds',
    'Time of a request to ClickHouse, whether it succeeds or fails.',
    durationBuckets,
    'query',
  );
  readonly #queryErrors = this.#counter(
    'calls_usage_clickhouse_errors_total',
    'Requests to ClickHouse that failed, by error.',
    ...['query', 'error'],
  );
  readonly #batchRows = this.#histogram(
    'calls_usage_insert_batch_rows',
    'Rows of a batch that was inserted.',
    rowBuckets,
  );
  readonly #batchBytes = this.#histogram(
    'calls_usage_insert_batch_bytes',
    'Size of a batch that was inserted, as RowBinary.',
    byteBuckets,
  );

  /** Reads a metric whenever metrics are requested. */
  watch({ name, type, help, label, read }: ReadMetric): void {
    const labelNames = label === undefined ? [] : [label];
    const configuration = { name, help, labelNames, registers: [this.registry] };
    const toValues = async (): Promise<[labels: Record<string, string>, value: number][]> => {
      const reading = await read();
      if (typeof reading === 'number') return [[{}, reading]];
      return Object.entries(reading).map(([key, value]) => [{ [label ?? '']: key }, value]);
    };
    if (type === 'gauge') {
      new Gauge({
        ...configuration,
        async collect() {
          const values = await toValues();
          this.reset();
          for (const [labels, value] of values) this.set(labels, value);
        },
      });
    } else {
      new Counter({
        ...configuration,
        async collect() {
          const values = await toValues();
          this.reset();
          for (const [labels, value] of values) this.inc(labels, value);
        },
      });
    }
  }

  /** @param type of the first validation issue */
  readonly countDroppedParts = (type: string, count: number): void => {
    this.#droppedParts.inc({ fault: type }, count);
  };

  /** @param isPriced whether each model of the answer has a price */
  readonly countPriced = (isPriced: boolean): void => {
    this.#answersWithCosts.inc({ priced: isPriced ? 'all' : 'not all' });
  };

  readonly countDroppedConnection = (): void => {
    this.#droppedConnections.inc();
  };

  readonly observeRequest = ({ route, method, status, durationMs }: ObservedRequest): void => {
    const labels = {
      route,
      method: methods.includes(method) ? method : 'other',
      status: status === undefined ? 'disconnected' : `${Math.floor(status / 100)}xx`,
    };
    this.#requests.observe(labels, durationMs / 1_000);
  };

  /** @param name of the query, `insert_` and the table, or `ping` */
  readonly observeQuery = (name: string, durationMs: number, error?: unknown): void => {
    this.#queries.observe({ query: name }, durationMs / 1_000);
    if (error !== undefined) this.#queryErrors.inc({ query: name, error: toErrorName(error) });
  };

  readonly observeBatch = (batch: { readonly rows: number; readonly bytes: number }): void => {
    this.#batchRows.observe(batch.rows);
    this.#batchBytes.observe(batch.bytes);
  };

  #counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[], ...labelNames: string[]): Histogram {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.registry] });
  }
}

function toErrorName(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError') return 'cancelled';
  const found = errorNames.find(([type]) => error instanceof type);
  return found?.[1] ?? 'other';
}

const errorNames = [
  [ClickHouseUnavailableError, 'unavailable'],
  [ClickHouseOverloadedError, 'overloaded'],
  [DiskFullError, 'disk_full'],
  [DamagedDataError, 'damaged'],
  [QueryTimeoutError, 'timeout'],
  [ResultTooLargeError, 'result_too_large'],
] as const;
