/** Generates load in a process of its own; bench/ingest.ts forks it and sends it one order after the other. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import type { Address } from '../src/clickhouse/client/connection.ts';
import { toStartAndEnd, toStartAndEndRows, toWholeCall, toWholeRow } from './ingest-parts.ts';
import { key, openBenchClient } from './servers.ts';

/** How to send parts, for how long. */
export interface Order {
  readonly kind: 'whole' | 'upsert' | 'direct_whole' | 'direct_upsert';
  readonly project: string;
  readonly url: string;
  readonly address: Address;
  readonly seconds: number;
  readonly clients: number;
  /** Parts of one request or insert. */
  readonly batch: number;
  /** Pause from the beginning of one request of a client to the next; none where it is 0. */
  readonly everyMs: number;
}

/** What came of it. */
export interface Sent {
  /** Parts that were acknowledged, and in how many seconds. */
  readonly parts: number;
  readonly seconds: number;
  /** Each request: when it began since the order did, how long it took, what it was answered. */
  readonly requests: readonly { readonly at: number; readonly ms: number; readonly ok: boolean }[];
  /** The batches that were acknowledged. */
  readonly acknowledged: readonly string[];
  /** The first answer that was none of 200. */
  readonly issue: string | undefined;
}

type Send = (batch: string, seed: number) => Promise<string | undefined>;

let client: ClickHouseClient | undefined;
const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });

process.on('message', (order: Order) => {
  void run(order).then((sent) => process.send?.(sent));
});

async function run(order: Order): Promise<Sent> {
  const startedAt = performance.now();
  const until = startedAt + order.seconds * 1_000;
  const requests: { at: number; ms: number; ok: boolean }[] = [];
  const acknowledged: string[] = [];
  let issue: string | undefined;
  const send = senderOf(order);
  const runClient = async (name: number): Promise<void> => {
    // Clients do not begin all at the same moment.
    if (order.everyMs > 0) await sleep((order.everyMs * name) / order.clients);
    for (let turn = 0, due = performance.now(); due < until; turn += 1) {
      const begin = performance.now();
      const batch = `${order.kind}-${name}-${turn}`;
      const failure = await send(batch, (name * 7_919 + turn * 104_729) % 1_000_000);
      const end = performance.now();
      requests.push({ at: begin - startedAt, ms: end - begin, ok: failure === undefined });
      if (failure === undefined) acknowledged.push(batch);
      else issue ??= failure;
      due = order.everyMs > 0 ? Math.max(due + order.everyMs, end) : end;
      if (due > end) await sleep(due - end);
    }
  };
  await Promise.all(Array.from({ length: order.clients }, (_, name) => runClient(name)));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { parts: acknowledged.length * order.batch, seconds, requests, acknowledged, issue };
}

function senderOf(order: Order): Send {
  const { kind, project, batch: size } = order;
  const isWhole = kind === 'whole' || kind === 'direct_whole';
  const calls = (batch: string, seed: number) =>
    Array.from({ length: isWhole ? size : Math.ceil(size / 2) }, (_, index) =>
      toWholeCall(project, batch, index, seed + index),
    );
  if (kind === 'direct_whole') return insert(order, (...of) => calls(...of).map(toWholeRow));
  if (kind === 'direct_upsert') {
    return insert(order, (...of) => calls(...of).flatMap(toStartAndEndRows));
  }
  if (kind === 'whole') return post(order, `/v2/${project}/calls/complete`, calls);
  // An odd number of parts ends with a start.
  return post(order, '/call/upsert_batch', (...of) =>
    calls(...of)
      .flatMap(toStartAndEnd)
      .slice(0, size),
  );
}

/** As a pipeline does that has no service. */
function insert(order: Order, toRows: (batch: string, seed: number) => object[]): Send {
  const clickHouse = (client ??= openBenchClient(order.address, 32));
  return async (batch, seed) => {
    await clickHouse.insert({
      table: 'call_parts',
      values: toRows(batch, seed),
      format: 'JSONEachRow',
      clickhouse_settings: { async_insert: 0 },
    });
    return undefined;
  };
}

function post(
  order: Order,
  path: string,
  toBatch: (batch: string, seed: number) => object[],
): Send {
  const authorization = `Basic ${Buffer.from(`api:${key}`).toString('base64')}`;
  return (batch, seed) =>
    new Promise((resolve) => {
      const body = Buffer.from(JSON.stringify({ batch: toBatch(batch, seed) }));
      const headers = {
        authorization,
        'content-type': 'application/json',
        'content-length': body.length,
      };
      const asked = request(order.url + path, { method: 'POST', agent, headers }, (answer) => {
        answer.resume();
        answer.once('end', () => {
          const { statusCode } = answer;
          resolve(statusCode === 200 ? undefined : `answered ${String(statusCode)}`);
        });
      });
      asked.once('error', (error) => {
        resolve(error.message);
      });
      asked.end(body);
    });
}
