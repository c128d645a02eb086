import { once } from 'node:events';
import { createServer } from 'node:net';
import Table from 'cli-table3';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { readText, tableOf, uncoded } from '../support/markdown.ts';
import { openTcpProxy } from '../support/http/tcp-proxy.ts';
import { subtreeUsageOf, type RecordedCall } from './recorded-usage.ts';
import type { EndedProgram } from './run-program.ts';
import { openSdkClient } from './sdk-client.ts';

// The programs in test/sdk/programs use the unmodified npm package weave, each in a process of its own. They record the
// usage of each call where they answer the requests to OpenAI; the tests compare it with the answers of
// POST /calls/usage.

const client = fixture(openSdkClient);
let research: EndedProgram;
beforeAll(async () => {
  research = await client.runProgram('research');
}, 120_000);

describe('calls of the Weave SDK', () => {
  let calls: readonly RecordedCall[];
  beforeAll(async () => {
    const ownCalls = research.report.calls;
    const queued = ownCalls.find(({ name }) => name === 'enqueue')!;
    const laterCalls = [
      ...(await client.runWorker(queued)),
      ...(await client.sendRestCalls(queued)),
    ];
    calls = [...ownCalls, ...laterCalls];
  }, 120_000);

  test.each([
    [
      'nested and concurrent ops, streams, an op that throws and an op that reports its own usage',
      'answer',
    ],
    ['a root that throws', 'fail'],
    ['several concurrent roots', 'question'],
    ['a root with a child that never ends', 'leave'],
    ['a root that never ends', 'wait'],
    ['the Responses API of OpenAI, and generated images', 'respond'],
    ['streams of the Responses API of OpenAI', 'respond_slowly'],
    ['a root with children in another process at the same time', 'manage'],
    ['a root that another process and a REST client continue later', 'enqueue'],
  ])('the answered usage is the recorded one for %s', async (_what, rootName) => {
    await client.expectRecordedUsage(calls, rootName);
  });

  test('calls of the SDK that never end are answered as unfinished', async () => {
    const { unfinished_call_ids } = await client.queryUsage(calls);
    const unfinished = calls.filter(({ name }) => ['hang', 'wait'].includes(name));
    expect(unfinished).toHaveLength(3);
    expect(unfinished_call_ids).toEqual(unfinished.map(({ id }) => id).sort());
  });

  test('the answer is exact where the sum of all stored numbers and the stored number of the root are not', async () => {
    const names = ['answer', 'search', 'rerank', 'judge', 'manage', 'wait'];
    const shown = names.map((name) => calls.find((call) => call.name === name)!);
    const rows = await readTotals(calls, shown);
    printTotals(rows);
    for (const { recorded, answered } of rows) expect(answered).toBe(recorded);
    for (const { recorded, storedSum } of rows) expect(storedSum).not.toBe(recorded);
    for (const { recorded, stored } of rows.slice(-2)) expect(stored).toBeLessThan(recorded);
  });
});

describe('calls of the Weave SDK that store too small a sum at the parent', () => {
  let calls: readonly RecordedCall[];
  beforeAll(async () => {
    const ownCalls = (await client.runProgram('wrong-sums')).report.calls;
    const resumed = ownCalls.find(({ name }) => name === 'resume')!;
    calls = [...ownCalls, ...(await client.runWorker(resumed))];
  }, 120_000);

  test.each([
    ['a stream that is read after the op that opened it has ended', 'stream_late'],
    ['details that are null in one answer and numbers in another', 'lose_details'],
    ['a total that only some of the answers report', 'mix_responses'],
    ['children in this process and in another one', 'share'],
    ['children in this process, and later ones in another process', 'resume'],
  ])('the answered usage is the recorded one for %s', async (_what, rootName) => {
    await client.expectRecordedUsage(calls, rootName);
  });

  test('usage is exact for a call with its own usage whose only child is in another process', async () => {
    await client.expectRecordedUsage(calls, 'consult');
  });
});

describe('endpoints that the Weave SDK requests', () => {
  let program: EndedProgram;
  beforeAll(async () => {
    program = await client.runProgram('objects');
  }, 120_000);

  test.each([
    ['an evaluation of a dataset', 'evaluate'],
    ['the scores of an evaluation that is logged by hand', 'log'],
    ['datasets, images, audio and prompts as inputs and outputs, and a changed name', 'look'],
  ])('no op fails and the usage is exact for %s', async (_what, rootName) => {
    await client.expectRecordedUsage(program.report.calls, rootName);
  });

  test('docs/weave-sdk.md lists every endpoint that the programs requested, and no other', () => {
    const programs = { research, objects: program };
    const requests = Object.values(programs).flatMap(({ report }) => Object.keys(report.requests));
    const endpoints = [...new Set(requests)].sort();
    printRequests(programs, endpoints);
    const documented = tableOf(readText('docs/weave-sdk.md'), 'request').map(([name = '']) =>
      uncoded(name),
    );
    expect(documented.sort()).toEqual(endpoints.map((name) => name.replace(/ 200$/, '')));
  });
});

test('calls are read back by id, in lists, with their children and with exact costs', async () => {
  const { report } = await client.runProgram('read-back');
  const requests = Object.keys(report.requests);
  expect(requests).toContain('POST /calls/stream_query 200');
  await client.expectRecordedUsage(report.calls, 'read');
}, 120_000);

test('the SDK loses and duplicates no call when the service is unavailable for a while', async () => {
  const { service } = client;
  const target = new URL(service.url);
  const countStoredBatches = (): number =>
    service
      .logLines()
      .filter(({ route, status }) => route === '/call/upsert_batch' && status === 200).length;
  const storedBefore = countStoredBatches();
  const proxy = await openTcpProxy(target);
  const WF_TRACE_SERVER_URL = `http://127.0.0.1:${proxy.port}`;
  const running = client.runProgram('research', { WF_TRACE_SERVER_URL });
  // It is awaited below; without a handler an earlier rejection would end the test process.
  running.catch(() => undefined);
  await expect.poll(countStoredBatches).toBeGreaterThan(storedBefore);
  await proxy.close();
  await dropOneConnection(proxy.port);
  const reopened = await openTcpProxy(target, proxy.port);
  const { stdout, report } = await running;
  await reopened.close();

  expect(stdout).toContain('Retrying fetch');
  const roots = report.calls.filter(({ parent_id }) => parent_id === null);
  for (const name of new Set(roots.map((root) => root.name))) {
    await client.expectRecordedUsage(report.calls, name);
  }
}, 120_000);

/** Listens until a client has connected and been disconnected without an answer. */
async function dropOneConnection(port: number): Promise<void> {
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
  await once(server, 'connection');
  server.close();
  await once(server, 'close');
}

/** Total tokens of all models, for one call and its descendants. */
interface Totals {
  readonly name: string;
  readonly recorded: number;
  readonly answered: number;
  /** The sum of the stored numbers of the subtree. */
  readonly storedSum: number;
  /** The stored number of the call itself. */
  readonly stored: number;
}

async function readTotals(
  calls: readonly RecordedCall[],
  shown: readonly RecordedCall[],
): Promise<Totals[]> {
  const { call_usage } = await client.queryUsage(shown);
  const rows = await client.clickhouse.query<{ id: string; parent_id: string; total: string }>(
    `SELECT id, max(parent_id) AS parent_id, sum(arraySum(usage.total)) AS total
     FROM call_parts FINAL
     WHERE project_id = {project_id:String}
     GROUP BY id`,
    { project_id: client.projectId },
  );
  const sumSubtree = (id: string): number =>
    rows
      .filter((row) => row.id === id || row.parent_id === id)
      .map((row) => (row.id === id ? Number(row.total) : sumSubtree(row.id)))
      .reduce((sum, total) => sum + total, 0);
  return shown.map(({ name, id }) => {
    const recorded = Object.values(subtreeUsageOf(calls, id));
    const answered = Object.values(call_usage[id] ?? {});
    return {
      name,
      recorded: recorded.reduce((sum, { prompt, completion }) => sum + prompt + completion, 0),
      answered: answered.reduce((sum, { total_tokens }) => sum + total_tokens, 0),
      storedSum: sumSubtree(id),
      stored: Number(rows.find((row) => row.id === id)?.total),
    };
  });
}

const withoutColours = { head: [], border: [] };

function printTotals(rows: readonly Totals[]): void {
  const table = new Table({
    head: ['total tokens of', 'recorded', 'answered', 'sum of stored', '/ recorded', 'stored'],
    style: withoutColours,
  });
  for (const { name, recorded, answered, storedSum, stored } of rows) {
    table.push([name, recorded, answered, storedSum, (storedSum / recorded).toFixed(2), stored]);
  }
  console.log(table.toString());
}

/** Prints how often each program received each answer. */
function printRequests(
  programs: Readonly<Record<string, EndedProgram>>,
  endpoints: readonly string[],
): void {
  const reports = Object.entries(programs);
  const heads = reports.map(([name, { report }]) => `${name}: ${report.calls.length} calls`);
  const table = new Table({ head: ['request', ...heads], style: withoutColours });
  for (const name of endpoints) {
    table.push([name, ...reports.map(([, { report }]) => report.requests[name] ?? 0)]);
  }
  console.log(table.toString());
}
