/** Sends call parts, in a process of its own; bench/ingest/ingest-bench.ts starts it and sends it orders. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import type { Address } from '../../src/clickhouse/client/open-client.ts';
import { openBenchClient } from '../support/bench-client.ts';
import { authorization } from '../support/usage-api.ts';
import { toCompleteCall, toCompleteRow, toStartAndEnd, toStartAndEndRows } from './sample-calls.ts';

/**
 * The kinds of ingestion by their names in the JSON report: complete calls, and starts and ends, each through the
 * service or as direct inserts.
 */
export type IngestKind = 'whole' | 'direct_whole' | 'upsert' | 'direct_upsert';

export interface IngestOrder {
  readonly kind: IngestKind;
  readonly project: string;
  readonly serviceUrl: string;
  readonly address: Address;
  readonly seconds: number;
  readonly clients: number;
  /** Parts of one request or insert. */
  readonly batchSize: number;
  /** Time from the beginning of a client's request to the beginning of its next one; 0: no pause. */
  readonly intervalMs: number;
}

export interface IngestResult {
  /** Number of acknowledged parts. */
  readonly parts: number;
  readonly seconds: number;
  readonly requests: readonly SentRequest[];
  /** The names of the acknowledged batches. */
  readonly acknowledged: readonly string[];
  /** The first failure. */
  readonly failure: string | undefined;
}

interface SentRequest {
  /** When it began, in milliseconds since the beginning of the order. */
  readonly at: number;
  readonly ms: number;
  readonly ok: boolean;
}

/** Sends one batch and returns why it failed. */
type SendBatch = (batch: string, seed: number) => Promise<string | undefined>;

let client: ClickHouseClient | undefined;
const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });

process.on('message', (order: IngestOrder) => {
  void run(order).then((result) => process.send?.(result));
});

async function run(order: IngestOrder): Promise<IngestResult> {
  const { clients, intervalMs } = order;
  const startedAt = performance.now();
  const endsAt = startedAt + order.seconds * 1_000;
  const requests: SentRequest[] = [];
  const acknowledged: string[] = [];
  let firstFailure: string | undefined;
  const sendBatch = createSender(order);
  const runClient = async (index: number): Promise<void> => {
    // Spread over the interval, so that clients do not begin at the same moment.
    if (intervalMs > 0) await sleep((intervalMs * index) / clients);
    for (let turn = 0, dueAt = performance.now(); dueAt < endsAt; turn += 1) {
      const sentAt = performance.now();
      const batch = `${order.kind}-${index}-${turn}`;
      const failure = await sendBatch(batch, (index * 7_919 + turn * 104_729) % 1_000_000);
      const answeredAt = performance.now();
      const ok = failure === undefined;
      requests.push({ at: sentAt - startedAt, ms: answeredAt - sentAt, ok });
      if (ok) acknowledged.push(batch);
      firstFailure ??= failure;
      dueAt = intervalMs > 0 ? Math.max(dueAt + intervalMs, answeredAt) : answeredAt;
      if (dueAt > answeredAt) await sleep(dueAt - answeredAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => runClient(index)));
  const seconds = (performance.now() - startedAt) / 1_000;
  const parts = acknowledged.length * order.batchSize;
  return { parts, seconds, requests, acknowledged, failure: firstFailure };
}

function createSender(order: IngestOrder): SendBatch {
  const { kind, project, batchSize } = order;
  const isComplete = kind === 'whole' || kind === 'direct_whole';
  const createCalls = (batch: string, seed: number) =>
    Array.from({ length: isComplete ? batchSize : Math.ceil(batchSize / 2) }, (_, index) =>
      toCompleteCall(project, batch, index, seed + index),
    );
  switch (kind) {
    case 'whole':
      return createPoster(order, `/v2/${project}/calls/complete`, createCalls);
    case 'upsert':
      // A batch with an odd number of parts ends with a start.
      return createPoster(order, '/call/upsert_batch', (batch, seed) =>
        createCalls(batch, seed).flatMap(toStartAndEnd).slice(0, batchSize),
      );
    case 'direct_whole':
      return createInserter(order, (batch, seed) => createCalls(batch, seed).map(toCompleteRow));
    case 'direct_upsert':
      return createInserter(order, (batch, seed) =>
        createCalls(batch, seed).flatMap(toStartAndEndRows),
      );
  }
}

/** Inserts into call_parts, as a pipeline without the service does. */
function createInserter(
  order: IngestOrder,
  toRows: (batch: string, seed: number) => object[],
): SendBatch {
  const clickhouse = (client ??= openBenchClient(order.address, 32));
  return async (batch, seed) => {
    await clickhouse.insert({
      table: 'call_parts',
      values: toRows(batch, seed),
      format: 'JSONEachRow',
      clickhouse_settings: { async_insert: 0 },
    });
    return undefined;
  };
}

function createPoster(
  order: IngestOrder,
  path: string,
  toParts: (batch: string, seed: number) => object[],
): SendBatch {
  return (batch, seed) =>
    new Promise((resolve) => {
      const body = Buffer.from(JSON.stringify({ batch: toParts(batch, seed) }));
      const headers = {
        authorization,
        'content-type': 'application/json',
        'content-length': body.length,
      };
      const url = order.serviceUrl + path;
      const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
        response.resume();
        response.once('end', () => {
          const { statusCode } = response;
          resolve(statusCode === 200 ? undefined : `status ${String(statusCode)}`);
        });
      });
      outgoing.once('error', (error) => {
        resolve(error.message);
      });
      outgoing.end(body);
    });
}
