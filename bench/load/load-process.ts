/**
 * Many clients that request pages concurrently, in a process of their own: from the service, or as flat sums from
 * ClickHouse. Reads a {@link LoadOrder} as JSON from standard input and writes a {@link LoadResult} to standard output.
 */
import { text } from 'node:stream/consumers';

import type { Address } from '../../src/clickhouse/client/open-client.ts';
import { openBenchClient } from '../support/bench-client.ts';
import { createStrategies } from '../usage/strategies.ts';

export interface LoadOrder {
  readonly strategy: 'floor' | 'ours';
  readonly address: Address;
  readonly serviceUrl: string;
  readonly clients: number;
  readonly seconds: number;
  readonly pages: readonly (readonly string[])[];
}

export interface LoadResult {
  /** How long each successful request took, in milliseconds. */
  readonly times: readonly number[];
  readonly errors: number;
  readonly firstErrors: readonly string[];
  readonly seconds: number;
}

const order = JSON.parse(await text(process.stdin)) as LoadOrder;
process.stdout.write(JSON.stringify(await runLoad(order)));

async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const { address, serviceUrl, clients, pages } = order;
  const client = openBenchClient(address, clients);
  const request = createStrategies(client, { ours: serviceUrl, live: serviceUrl }, 60)[
    order.strategy
  ];
  const times: number[] = [];
  const errors: string[] = [];
  const startedAt = performance.now();
  let nextPage = 0;
  const runClient = async (): Promise<void> => {
    while (performance.now() - startedAt < order.seconds * 1_000) {
      const requestedAt = performance.now();
      try {
        await request({ ids: pages[nextPage++ % pages.length] ?? [], keys: new Map() });
        times.push(performance.now() - requestedAt);
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, runClient));
  const seconds = (performance.now() - startedAt) / 1_000;
  await client.close();
  return { times, errors: errors.length, firstErrors: errors.slice(0, 3), seconds };
}
