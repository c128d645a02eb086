/**
 * Many clients asking for pages at once, in a process of their own: either the service or, through the client that
 * the service has, the flat sum. Takes what to do as JSON on standard input and prints what came of it as JSON.
 */
import { text } from 'node:stream/consumers';

import type { Address } from '../src/clickhouse/client/connection.ts';
import { openBenchClient } from './servers.ts';
import { createWays } from './strategies.ts';

/** What {@link file://load-client.ts} is told. */
export interface LoadOrder {
  readonly way: 'floor' | 'ours';
  readonly address: Address;
  readonly serviceUrl: string;
  readonly clients: number;
  readonly seconds: number;
  readonly pages: readonly (readonly string[])[];
}

/** What it says: times of answers in milliseconds, and the first few errors. */
export interface LoadResult {
  readonly times: readonly number[];
  readonly errors: number;
  readonly firstErrors: readonly string[];
  readonly seconds: number;
}

const order = JSON.parse(await text(process.stdin)) as LoadOrder;
process.stdout.write(JSON.stringify(await run(order)));

async function run({
  way,
  address,
  serviceUrl,
  clients,
  seconds,
  pages,
}: LoadOrder): Promise<LoadResult> {
  const client = openBenchClient(address, clients);
  const ask = createWays(client, serviceUrl, 60)[way];
  const times: number[] = [];
  const errors: string[] = [];
  const begin = performance.now();
  let next = 0;
  const askOn = async (): Promise<void> => {
    while (performance.now() - begin < seconds * 1000) {
      const start = performance.now();
      try {
        await ask(pages[next++ % pages.length] ?? []);
        times.push(performance.now() - start);
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, askOn));
  const took = (performance.now() - begin) / 1000;
  await client.close();
  return { times, errors: errors.length, firstErrors: errors.slice(0, 3), seconds: took };
}
