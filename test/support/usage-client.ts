import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { openTestClickHouse, type TestClickHouse } from './clickhouse.ts';
import { openService, type TestAnswer, type TestService } from './service.ts';

/** A call as tests describe it; what is left out is the same for all. */
export interface CallShape {
  readonly id: string;
  readonly trace?: string;
  readonly parent?: string | undefined;
  /** The summary's usage; none where it is left out. */
  readonly usage?: unknown;
  readonly startedAt?: string;
}

/** What one model used, as the contract has it. */
export interface ModelUsage {
  readonly requests: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_total_cost: number | null;
  readonly completion_tokens_total_cost: number | null;
}

/** A `CallsUsageRes`. */
export interface UsageAnswer {
  readonly call_usage: Readonly<Record<string, Readonly<Record<string, ModelUsage>>>>;
  readonly unfinished_call_ids: readonly string[];
}

/** A project that no other test has: in it calls may have any ids. */
export interface Project {
  readonly id: string;
  /** Sends starts and ends in one batch; all must be taken. */
  upsertBatch(...items: readonly object[]): Promise<void>;
  /** Sends whole calls in one batch; all must be taken. */
  sendCompleteCalls(...calls: readonly CallShape[]): Promise<void>;
  /** Deletes calls and says how many were deleted. */
  deleteCalls(...callIds: readonly string[]): Promise<number>;
  /** Sets prices, from llm_id to a `CostCreateInput`; a project outdoes the default prices. */
  setPrices(costs: Readonly<Record<string, object>>): Promise<void>;
  /** Asks POST /calls/usage and checks the answer against the contract. */
  queryUsage(callIds: readonly string[], more?: object): Promise<UsageAnswer>;
  /** The same, answer as it is. */
  sendUsageRequest(callIds: readonly string[], more?: object): Promise<TestAnswer>;
  /** A start, as an item of a batch. */
  startItem(shape: CallShape, more?: object): object;
  /** An end, as an item of a batch; without its trace id. */
  endItem(shape: CallShape, more?: object): object;
  /** A whole call, as an item of a batch. */
  completeCall(shape: CallShape, more?: object): object;
}

/** A service on a database of its own; close it in `afterAll`. */
export interface UsageClient {
  readonly clickhouse: TestClickHouse;
  readonly service: TestService;
  newProject(service?: TestService): Project;
  close(): Promise<void>;
}

const time = '2026-01-31T12:00:00Z';

export async function openUsageClient(): Promise<UsageClient> {
  const clickhouse = await openTestClickHouse();
  const service = await openService(clickhouse.environment);
  await service.ready;
  let projects = 0;
  return {
    clickhouse,
    service,
    newProject: () => {
      projects += 1;
      return toProject(service, `team/project-${projects}`);
    },
    close: async () => {
      await service.close();
      await clickhouse.close();
    },
  };
}

/** A project by its id, through one of several services. */
export function toProject(service: TestService, id: string): Project {
  const post = async (path: string, body: object): Promise<TestAnswer> => {
    const answer = await service.send(path, { body });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).not.toContain('"dropped"');
    return answer;
  };
  const send = (callIds: readonly string[], more?: object): Promise<TestAnswer> =>
    service.send('/calls/usage', { body: { project_id: id, call_ids: callIds, ...more } });
  const shapes = toItems(id);
  return {
    id,
    ...shapes,
    sendUsageRequest: send,
    upsertBatch: async (...batch) => {
      await post('/call/upsert_batch', { batch });
    },
    sendCompleteCalls: async (...calls) => {
      const batch = calls.map((call) => shapes.completeCall(call));
      await post(`/v2/${id}/calls/complete`, { batch });
    },
    deleteCalls: async (...call_ids) => {
      const answer = await post('/calls/delete', { project_id: id, call_ids });
      return (answer.json() as { num_deleted: number }).num_deleted;
    },
    setPrices: async (costs) => {
      await post('/cost/create', { project_id: id, costs });
    },
    queryUsage: async (callIds, more) => parseAnswer(await send(callIds, more)),
  };
}

/** Writes calls as clients of a project send them. */
function toItems(project_id: string): Pick<Project, 'startItem' | 'endItem' | 'completeCall'> {
  const toStart = ({ id, trace, parent, startedAt = time }: CallShape) => ({
    project_id,
    id,
    trace_id: trace ?? 'trace',
    parent_id: parent ?? null,
    op_name: 'op',
    started_at: startedAt,
    attributes: {},
    inputs: {},
  });
  const toEnd = ({ id, usage }: CallShape) => ({
    project_id,
    id,
    ended_at: time,
    summary: usage === undefined ? {} : { usage },
  });
  return {
    startItem: (shape, more) => ({ mode: 'start', req: { start: { ...toStart(shape), ...more } } }),
    endItem: (shape, more) => ({ mode: 'end', req: { end: { ...toEnd(shape), ...more } } }),
    completeCall: (shape, more) => ({ ...toEnd(shape), ...toStart(shape), ...more }),
  };
}

/** Reads a 200 of POST /calls/usage, which must be what the contract says and nothing else. */
function parseAnswer(answer: TestAnswer): UsageAnswer {
  expect(answer.status, answer.text).toBe(200);
  const parsed = answer.json() as UsageAnswer;
  expect(isCallsUsageRes(parsed), JSON.stringify(isCallsUsageRes.errors)).toBe(true);
  expect(Object.keys(parsed)).toEqual(['call_usage', 'unfinished_call_ids']);
  return parsed;
}

/** How many prompt tokens of a model an answer says; 0 where it says nothing. */
export function promptTokens({ call_usage }: UsageAnswer, callId: string, model = 'm'): number {
  return call_usage[callId]?.[model]?.prompt_tokens ?? 0;
}

/** A usage that is easy to tell from others: prompt tokens of the model `m`. */
export function promptUsage(prompt_tokens: number): object {
  return { m: { prompt_tokens } };
}

/** The literal contract. */
export const contract = parse(
  readFileSync(new URL('../../openapi/calls-usage.openapi.yaml', import.meta.url), 'utf8'),
) as {
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties: object }>>;
  };
};

const ajv = new Ajv2020({ strict: true, allErrors: true });
ajv.addVocabulary(Object.keys(contract));
ajv.addSchema(contract, 'contract');

/** Whether a value is the `CallsUsageRes` of the contract. */
const isCallsUsageRes = ajv.compile({ $ref: 'contract#/components/schemas/CallsUsageRes' });
