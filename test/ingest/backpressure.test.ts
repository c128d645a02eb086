import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type AcknowledgedBatch, countLostParts } from '../../bench/ingest/lost-parts.ts';
import { toCompleteCall } from '../../bench/ingest/sample-calls.ts';
import { openBenchClient } from '../../bench/support/bench-client.ts';
import {
  readMemory,
  resetPeakMemory,
  type ServiceProcess,
  startServer,
  startServiceProcess,
} from '../../bench/support/processes.ts';
import { apiKey } from '../../bench/support/usage-api.ts';
import { basicAuthorization } from '../support/http/service.ts';
import { makeDirectory } from '../support/clickhouse/embedded-clickhouse.ts';

const project = 'ingest/backpressure';
const clients = 48;
const callsPerBatch = 400;

/** 48 clients send 24 MB of bodies at a time, three times the memory budget of the service. */
const settings = {
  MEMORY_BUDGET_MB: '8',
  MEMORY_BUDGET_PER_KEY_MB: '8',
  BODY_LIMIT_MB: '4',
  CLICKHOUSE_TIMEOUT_MS: '4000',
};

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly detail: string | undefined;
  readonly ms: number;
}

/** Sends batches from many clients until it is stopped; a client that is refused sends the same batch again. */
function startLoad({ url }: ServiceProcess) {
  const answers: Answer[] = [];
  const acknowledged: AcknowledgedBatch[] = [];
  let isStopped = false;
  const send = async (batch: string): Promise<Answer> => {
    const calls = Array.from({ length: callsPerBatch }, (_, index) =>
      toCompleteCall(project, batch, index, index),
    );
    const body = JSON.stringify({ batch: calls });
    const headers = {
      'content-type': 'application/json',
      authorization: basicAuthorization(apiKey),
    };
    const startedAt = performance.now();
    const path = `/v2/${project}/calls/complete`;
    const response = await fetch(url + path, { method: 'POST', headers, body });
    const { detail } = (await response.json()) as { detail?: string };
    const ms = performance.now() - startedAt;
    const retryAfter = response.headers.get('retry-after');
    return { status: response.status, retryAfter, detail, ms };
  };
  const client = async (name: number): Promise<void> => {
    for (let sequence = 0; !isStopped;) {
      const batch = `whole-${name}-${sequence}`;
      const answer = await send(batch);
      answers.push(answer);
      if (answer.status === 200) {
        acknowledged.push({ batch, project, parts: callsPerBatch });
        sequence += 1;
      } else {
        await sleep(200);
      }
    }
  };
  const done = Promise.all(Array.from({ length: clients }, (_, name) => client(name)));
  const stop = async (): Promise<void> => {
    isStopped = true;
    await done;
  };
  return { answers, acknowledged, stop };
}

async function openParts() {
  const directory = await makeDirectory();
  onTestFinished(() => directory.remove());
  const server = await startServer(directory.path);
  onTestFinished(() => server.stop());
  const service = await startServiceProcess(server, directory.path, settings);
  onTestFinished(() => service.stop());
  const client = openBenchClient(server.address);
  onTestFinished(() => client.close());
  return { server, service, client };
}

test(
  'while ClickHouse does not respond, requests get 503 at once, memory is bounded, and nothing acknowledged is lost',
  { timeout: 180_000 },
  async () => {
    const { server, service, client } = await openParts();
    onTestFinished(() => void process.kill(server.processId, 'SIGCONT'));
    const load = startLoad(service);
    const acknowledged = (): number => load.acknowledged.length;
    await expect.poll(acknowledged, { timeout: 60_000 }).toBeGreaterThan(2 * clients);
    const before = await readMemory(service);
    await resetPeakMemory(service);

    process.kill(server.processId, 'SIGSTOP');
    const answersBefore = load.answers.length;
    const refused = (): number =>
      load.answers.slice(answersBefore).filter(({ status }) => status !== 200).length;
    await expect.poll(refused, { timeout: 60_000 }).toBeGreaterThan(5 * clients);
    const stopped = await readMemory(service);
    process.kill(server.processId, 'SIGCONT');

    const acknowledgedBefore = acknowledged();
    await expect
      .poll(acknowledged, { timeout: 60_000 })
      .toBeGreaterThan(acknowledgedBefore + clients);
    await load.stop();

    const refusals = load.answers.filter(({ status }) => status !== 200);
    for (const { status, retryAfter, detail } of refusals) {
      expect(status, detail).toBe(503);
      expect(retryAfter).toMatch(/^\d+$/);
    }
    // A full budget refuses long before the first insert times out.
    const refusedByBudget = refusals.filter(({ detail }) => detail?.includes('memory'));
    expect(refusedByBudget.filter(({ ms }) => ms < 2_000).length).toBeGreaterThan(clients);
    // The budget is 8 MiB; the objects of bodies being parsed and the garbage of refused ones are not in it.
    if (before !== undefined && stopped !== undefined) {
      expect(stopped.peak - before.now).toBeLessThan(100);
    }
    await expect.poll(() => countLostParts(client, load.acknowledged)).toBe(0);
  },
);
