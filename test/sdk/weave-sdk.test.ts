import { once } from 'node:events';
import { createServer } from 'node:net';
import Table from 'cli-table3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readText, tableOf, uncoded } from '../support/markdown.ts';
import { openTestClickHouse, type TestClickHouse } from '../support/clickhouse.ts';
import { openService, testKey, type TestService } from '../support/service.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';
import { runProgram, type EndedProgram } from './run-program.ts';
import { spendingBelow, type SpentCall, type Tokens } from './spending.ts';

// The npm package weave, unmodified, in processes of its own. What its calls spent is counted where OpenAI's
// requests are answered, in test/sdk/programs; that is held against what POST /calls/usage answers.

const projectId = 'team/sdk';

/** Prices of the models, in billionths of a US dollar per token. */
const prices: Readonly<Record<string, { prompt: number; cached: number; completion: number }>> = {
  'gpt-large-2026-11-01': { prompt: 2_500, cached: 1_250, completion: 10_000 },
  'gpt-small-2026-11-01': { prompt: 150, cached: 75, completion: 601 },
};

let clickhouse: TestClickHouse;
let service: TestService;
let research: EndedProgram;
beforeAll(async () => {
  clickhouse = await openTestClickHouse();
  service = await openService(clickhouse.environment);
  await service.ready;
  await service.send('/cost/create', { body: { project_id: projectId, costs: toCosts() } });
  research = await run('research');
}, 120_000);
afterAll(async () => {
  await service.close();
  await clickhouse.close();
});

function toCosts(): object {
  const entries = Object.entries(prices).map(([model, price]) => [
    model,
    {
      prompt_token_cost: price.prompt / 1e9,
      completion_token_cost: price.completion / 1e9,
      cache_read_input_token_cost: price.cached / 1e9,
      effective_date: '2026-01-01T00:00:00Z',
    },
  ]);
  return Object.fromEntries(entries) as object;
}

/** Runs a program as a user of the SDK would, with this service as its trace server. */
async function run(
  name: string,
  more: Readonly<Record<string, string>> = {},
): Promise<EndedProgram> {
  const ended = await runProgram(name, {
    WF_TRACE_SERVER_URL: service.url,
    WANDB_API_KEY: testKey,
    PROJECT: projectId,
    ...more,
  });
  // The SDK tells of what went wrong on standard error and in a file where the program runs.
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(ended.files).not.toContain('weaveErrors.log');
  expect(ended.report.outside).toEqual([]);
  const failed = Object.keys(ended.report.requests).filter((request) => !request.endsWith(' 200'));
  expect(failed).toEqual([]);
  return ended;
}

/** Starts a worker below a call that another process made. */
async function continueBelow({ id, trace_id }: SpentCall): Promise<readonly SpentCall[]> {
  const parent = JSON.stringify({ callId: id, traceId: trace_id });
  return (await run('worker', { PARENT: parent })).report.calls;
}

interface Answer {
  readonly call_usage: Readonly<Record<string, unknown>>;
  readonly unfinished_call_ids: readonly string[];
}

async function ask(calls: readonly SpentCall[]): Promise<Answer> {
  const body = { project_id: projectId, call_ids: calls.map(({ id }) => id), include_costs: true };
  const answer = await service.send('/calls/usage', { body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Answer;
}

/** What is to be answered of a call: the sum of what it and all its descendants spent. */
function expectedUsage(calls: readonly SpentCall[], id: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(spendingBelow(calls, id)).map(([model, tokens]) => [
      model,
      {
        requests: tokens.requests,
        prompt_tokens: tokens.prompt,
        completion_tokens: tokens.completion,
        total_tokens: tokens.prompt + tokens.completion,
        ...expectedCosts(model, tokens),
      },
    ]),
  );
}

function expectedCosts(model: string, { prompt, cached, completion }: Tokens): object {
  const price = prices[model];
  return {
    prompt_tokens_total_cost:
      price === undefined ? null : ((prompt - cached) * price.prompt + cached * price.cached) / 1e9,
    completion_tokens_total_cost:
      price === undefined ? null : (completion * price.completion) / 1e9,
  };
}

/** Asks for every call of a trace at once, the root and all inner ones. */
async function expectTruth(calls: readonly SpentCall[], rootName: string): Promise<void> {
  const traces = calls.filter(({ name }) => name === rootName).map(({ trace_id }) => trace_id);
  expect(traces).not.toEqual([]);
  const asked = calls.filter(({ trace_id }) => traces.includes(trace_id));
  const expected = asked.map(({ name, id }) => ({ name, id, usage: expectedUsage(asked, id) }));
  const { call_usage } = await ask(asked);
  const answered = asked.map(({ name, id }) => ({ name, id, usage: call_usage[id] }));
  expect(answered).toEqual(expected);
}

describe('what was spent is what is answered, for the root and for every call below', () => {
  let calls: readonly SpentCall[];
  beforeAll(async () => {
    const first = research.report.calls;
    const queue = first.find(({ name }) => name === 'enqueue')!;
    calls = [...first, ...(await continueBelow(queue)), ...(await sendByHand(queue))];
  }, 120_000);

  test.each([
    ['ops in ops, side by side, streams, an op that throws and an op with its own usage', 'answer'],
    ['a root that throws', 'fail'],
    ['several roots at once', 'question'],
    ['a child that never ends', 'leave'],
    ['a root that never ends', 'wait'],
    ['OpenAI’s responses, and pictures', 'respond'],
    ['OpenAI’s responses in pieces', 'respond_slowly'],
    ['a part in another process at the same time', 'manage'],
    ['a trace that another process continues later, and a REST client too', 'enqueue'],
  ])('%s', async (_what, rootName) => {
    await expectTruth(calls, rootName);
  });

  test('calls that never ended are told', async () => {
    const { unfinished_call_ids } = await ask(calls);
    const unfinished = calls.filter(({ name }) => ['hang', 'wait'].includes(name));
    expect(unfinished).toHaveLength(3);
    expect(unfinished_call_ids).toEqual(unfinished.map(({ id }) => id).sort());
  });

  test('neither the sum of what is stored nor the root’s own number is what was spent', async () => {
    const names = ['answer', 'search', 'rerank', 'judge', 'manage', 'wait'];
    const shown = names.map((name) => calls.find((call) => call.name === name)!);
    const rows = await figuresOf(calls, shown);
    printFigures(rows);
    for (const { spent, answered } of rows) expect(answered).toBe(spent);
    for (const { spent, summed } of rows) expect(summed).not.toBe(spent);
    for (const { spent, stored } of rows.slice(-2)) expect(stored).toBeLessThan(spent);
  });
});

describe('the same where the SDK’s own sums at a parent are wrong', () => {
  let calls: readonly SpentCall[];
  beforeAll(async () => {
    const first = (await run('miscount')).report.calls;
    const parent = first.find(({ name }) => name === 'resume')!;
    calls = [...first, ...(await continueBelow(parent))];
  }, 120_000);

  // Known to be too high: where a parent's sum is too small in one counter or for one child, docs/usage.md takes
  // all that it stored for its own, what its other children added too.
  test.fails.each([
    ['a stream that is read when the op that opened it is over', 'stream_late'],
    ['details that are null once and a number another time', 'lose_details'],
    ['a total that some responses give and others do not', 'mix_responses'],
    ['children in this process and in another one', 'share'],
    ['children of its own, and another process that continues the trace later', 'resume'],
  ])('%s', async (_what, rootName) => {
    await expectTruth(calls, rootName);
  });

  test('own usage, and a child only in another process', async () => {
    await expectTruth(calls, 'consult');
  });
});

describe('what the SDK asks for beside taking calls', () => {
  let program: EndedProgram;
  beforeAll(async () => {
    program = await run('objects');
  }, 120_000);

  test.each([
    ['an evaluation of a dataset', 'evaluate'],
    ['scores of an evaluation that is logged by hand', 'log'],
    ['datasets, pictures, sounds and prompts as inputs and outputs, and a new name', 'look'],
  ])('%s fails no op, and is counted', async (_what, rootName) => {
    await expectTruth(program.report.calls, rootName);
  });

  test('docs/weave-sdk.md lists every endpoint that was asked, and no other', () => {
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

test('a service that goes away and comes back loses nothing and doubles nothing', async () => {
  const target = new URL(service.url);
  const isStored = (line: Record<string, unknown>): boolean =>
    line['route'] === '/call/upsert_batch' && line['status'] === 200;
  const storedBefore = service.logLines().filter(isStored).length;
  const proxy = await openTcpProxy(target);
  const running = run('research', { WF_TRACE_SERVER_URL: `http://127.0.0.1:${proxy.port}` });
  // It is waited for further down; until then nobody would hear it fail.
  running.catch(() => undefined);
  await expect.poll(() => service.logLines().filter(isStored).length).toBeGreaterThan(storedBefore);
  await proxy.close();
  await hangUpOnce(proxy.port);
  const again = await openTcpProxy(target, proxy.port);
  const { stdout, report } = await running;
  await again.close();

  expect(stdout).toContain('Retrying fetch');
  const roots = report.calls.filter(({ parent_id }) => parent_id === null);
  for (const name of new Set(roots.map(({ name }) => name))) await expectTruth(report.calls, name);
}, 120_000);

/** Stands in for a service that is away, until somebody has come in vain. */
async function hangUpOnce(port: number): Promise<void> {
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
  await once(server, 'connection');
  server.close();
  await once(server, 'close');
}

/** Continues a trace as a REST client does, with its own usage on its calls. */
async function sendByHand(parent: SpentCall): Promise<SpentCall[]> {
  const names = ['outer', 'inner'];
  const own = { 'gpt-small-2026-11-01': { requests: 1, prompt: 83, completion: 8, cached: 3 } };
  const usage = {
    'gpt-small-2026-11-01': {
      requests: 1,
      prompt_tokens: 83,
      completion_tokens: 8,
      cache_read_input_tokens: 3,
    },
  };
  const common = { project_id: projectId, trace_id: parent.trace_id };
  let parentId = parent.id;
  const calls: SpentCall[] = [];
  for (const name of names) {
    const id = `${parent.id}-${name}`;
    const time = new Date().toISOString();
    const start = { ...common, id, parent_id: parentId, op_name: name, started_at: time };
    await service.send('/call/start', {
      body: { start: { ...start, attributes: {}, inputs: {} } },
    });
    await service.send('/call/end', {
      body: { end: { ...common, id, ended_at: time, summary: { usage } } },
    });
    calls.push({ name, id, trace_id: parent.trace_id, parent_id: parentId, own });
    parentId = id;
  }
  return calls;
}

interface Figures {
  readonly name: string;
  readonly spent: number;
  readonly answered: number;
  /** Sum of the stored numbers over the subtree. */
  readonly summed: number;
  /** The number that the call itself stored. */
  readonly stored: number;
}

/** Total tokens of all models. */
async function figuresOf(
  calls: readonly SpentCall[],
  shown: readonly SpentCall[],
): Promise<Figures[]> {
  const { call_usage } = await ask(shown);
  const rows = await clickhouse.query<{ id: string; parent_id: string; total: string }>(
    `SELECT id, max(parent_id) AS parent_id, sum(arraySum(usage.total)) AS total
     FROM call_parts FINAL
     WHERE project_id = {project_id:String}
     GROUP BY id`,
    { project_id: projectId },
  );
  const sumBelow = (id: string): number =>
    rows
      .filter((row) => row.id === id || row.parent_id === id)
      .map((row) => (row.id === id ? Number(row.total) : sumBelow(row.id)))
      .reduce((sum, total) => sum + total, 0);
  return shown.map(({ name, id }) => {
    const spent = Object.values(spendingBelow(calls, id));
    const answered = Object.values(call_usage[id] as Record<string, { total_tokens: number }>);
    return {
      name,
      spent: spent.reduce((sum, { prompt, completion }) => sum + prompt + completion, 0),
      answered: answered.reduce((sum, { total_tokens }) => sum + total_tokens, 0),
      summed: sumBelow(id),
      stored: Number(rows.find((row) => row.id === id)?.total),
    };
  });
}

/** How often each program had which answer. */
function printRequests(
  programs: Readonly<Record<string, EndedProgram>>,
  endpoints: readonly string[],
): void {
  const reports = Object.entries(programs);
  const heads = reports.map(
    ([name, { report }]) => `${name}: ${report.calls.length} calls in the books`,
  );
  const table = new Table({ head: ['request', ...heads], style: plain });
  for (const name of endpoints) {
    table.push([name, ...reports.map(([, { report }]) => report.requests[name] ?? 0)]);
  }
  console.log(table.toString());
}

/** Without colours, for logs. */
const plain = { head: [], border: [] };

function printFigures(rows: readonly Figures[]): void {
  const table = new Table({
    head: ['total tokens of', 'spent', 'answered', 'stored, summed up', '/ spent', 'stored by it'],
    style: plain,
  });
  for (const { name, spent, answered, summed, stored } of rows) {
    table.push([name, spent, answered, summed, (summed / spent).toFixed(2), stored]);
  }
  console.log(table.toString());
}
