import { expect } from 'vitest';
import { openTestClickHouse, type TestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { openService, testKey, type TestService } from '../support/http/service.ts';
import type { UsageAnswer } from '../support/usage-client.ts';
import { subtreeUsageOf, type RecordedCall, type TokenCounts } from './recorded-usage.ts';
import { runProgram, type EndedProgram } from './run-program.ts';

/** A service, and programs with the Weave SDK that use it as their trace server. */
export interface SdkClient {
  readonly projectId: string;
  readonly clickhouse: TestClickHouse;
  readonly service: TestService;
  /** Runs a program, which must end without errors and without failed requests. */
  runProgram(name: string, environment?: Readonly<Record<string, string>>): Promise<EndedProgram>;
  /** Runs the program `worker`, whose calls are children of a call of another process. */
  runWorker(parent: RecordedCall): Promise<readonly RecordedCall[]>;
  /** Sends a child and a grandchild of a call without the SDK, each with usage of its own. */
  sendRestCalls(parent: RecordedCall): Promise<readonly RecordedCall[]>;
  /** Sends POST /calls/usage with costs. */
  queryUsage(calls: readonly RecordedCall[]): Promise<UsageAnswer>;
  /**
   * Requests the usage of every call in the traces of the roots with a name, in one request, and compares it with what
   * was recorded.
   */
  expectRecordedUsage(calls: readonly RecordedCall[], rootName: string): Promise<void>;
  close(): Promise<void>;
}

const projectId = 'team/sdk';

/** Starts a service with prices for the models of the programs; the caller closes it. */
export async function openSdkClient(): Promise<SdkClient> {
  const clickhouse = await openTestClickHouse();
  const service = await openService(clickhouse.environment);
  await service.ready;
  const costs = toCosts();
  await service.send('/cost/create', { body: { project_id: projectId, costs } });
  const queryUsage: SdkClient['queryUsage'] = (calls) => queryUsageOf(service, calls);
  const run: SdkClient['runProgram'] = (name, environment) =>
    runWithService(service, name, environment);
  return {
    projectId,
    clickhouse,
    service,
    runProgram: run,
    runWorker: async ({ id, trace_id }) => {
      const parent = JSON.stringify({ callId: id, traceId: trace_id });
      return (await run('worker', { PARENT: parent })).report.calls;
    },
    sendRestCalls: (parent) => sendRestCalls(service, parent),
    queryUsage,
    expectRecordedUsage: async (calls, rootName) => {
      const traces = calls.filter(({ name }) => name === rootName).map(({ trace_id }) => trace_id);
      expect(traces).not.toEqual([]);
      const requested = calls.filter(({ trace_id }) => traces.includes(trace_id));
      const { call_usage } = await queryUsage(requested);
      const toRow = (usage: (id: string) => unknown) =>
        requested.map(({ name, id }) => ({ name, id, usage: usage(id) }));
      expect(toRow((id) => call_usage[id])).toEqual(toRow((id) => toModelUsage(requested, id)));
    },
    close: async () => {
      await service.close();
      await clickhouse.close();
    },
  };
}

async function runWithService(
  service: TestService,
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<EndedProgram> {
  const ended = await runProgram(name, {
    WF_TRACE_SERVER_URL: service.url,
    WANDB_API_KEY: testKey,
    PROJECT: projectId,
    ...environment,
  });
  // The SDK reports its errors on standard error and in a file of the working directory.
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(ended.files).not.toContain('weaveErrors.log');
  expect(ended.report.blockedHosts).toEqual([]);
  const failed = Object.keys(ended.report.requests).filter((request) => !request.endsWith(' 200'));
  expect(failed).toEqual([]);
  return ended;
}

async function queryUsageOf(
  service: TestService,
  calls: readonly RecordedCall[],
): Promise<UsageAnswer> {
  const body = { project_id: projectId, call_ids: calls.map(({ id }) => id), include_costs: true };
  const answer = await service.send('/calls/usage', { body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as UsageAnswer;
}

async function sendRestCalls(service: TestService, parent: RecordedCall): Promise<RecordedCall[]> {
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
  let parent_id = parent.id;
  const calls: RecordedCall[] = [];
  for (const name of ['outer', 'inner']) {
    const id = `${parent.id}-${name}`;
    const time = new Date().toISOString();
    const start = { ...common, id, parent_id, op_name: name, started_at: time };
    await service.send('/call/start', {
      body: { start: { ...start, attributes: {}, inputs: {} } },
    });
    await service.send('/call/end', {
      body: { end: { ...common, id, ended_at: time, summary: { usage } } },
    });
    calls.push({ name, id, trace_id: parent.trace_id, parent_id, own });
    parent_id = id;
  }
  return calls;
}

interface Price {
  readonly prompt: number;
  readonly cached: number;
  readonly completion: number;
}

/** In billionths of a US dollar per token. */
const prices: Readonly<Record<string, Price>> = {
  'gpt-large-2026-11-01': { prompt: 2_500, cached: 1_250, completion: 10_000 },
  'gpt-small-2026-11-01': { prompt: 150, cached: 75, completion: 601 },
};

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

/** The expected answer for one call. */
function toModelUsage(calls: readonly RecordedCall[], id: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(subtreeUsageOf(calls, id)).map(([model, counts]) => [
      model,
      {
        requests: counts.requests,
        prompt_tokens: counts.prompt,
        completion_tokens: counts.completion,
        total_tokens: counts.prompt + counts.completion,
        ...toModelCosts(prices[model], counts),
      },
    ]),
  );
}

function toModelCosts(
  price: Price | undefined,
  { prompt, cached, completion }: TokenCounts,
): object {
  return {
    prompt_tokens_total_cost:
      price === undefined ? null : ((prompt - cached) * price.prompt + cached * price.cached) / 1e9,
    completion_tokens_total_cost:
      price === undefined ? null : (completion * price.completion) / 1e9,
  };
}
