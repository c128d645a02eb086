import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { parse } from 'yaml';
import type { CallsUsageRes, LlmAggregatedUsage } from '../../src/openapi-types.ts';
import { openTestClickHouse, type TestClickHouse } from './clickhouse/clickhouse.ts';
import { openService, type TestAnswer, type TestService } from './http/service.ts';

/** The fields of a call that a test sets; all others have fixed values. */
export interface CallShape {
  readonly id: string;
  readonly trace?: string;
  readonly parent?: string | undefined;
  /** `summary.usage`; absent by default. */
  readonly usage?: unknown;
  readonly startedAt?: string;
}

/** Usage of one model; the service answers every field. */
export type ModelUsage = Required<LlmAggregatedUsage>;

/** The answer of POST /calls/usage; the service answers every field. */
export type UsageAnswer = Required<CallsUsageRes>;

/** A project that only one test uses, so its call ids cannot collide with those of other tests. */
export interface Project {
  readonly id: string;
  /** Sends start and end items to /call/upsert_batch; fails if any is dropped. */
  upsertBatch(...items: readonly object[]): Promise<void>;
  /** Sends calls to /v2/…/calls/complete; fails if any is dropped. */
  sendCompleteCalls(...calls: readonly CallShape[]): Promise<void>;
  /** Deletes calls; returns `num_deleted`. */
  deleteCalls(...callIds: readonly string[]): Promise<number>;
  /**
   * Sets prices of the project, which take precedence over the default prices.
   * @param costs from llm_id to `CostCreateInput`
   */
  setPrices(costs: Readonly<Record<string, object>>): Promise<void>;
  /** Sends POST /calls/usage, which must answer 200, and validates the answer against the contract. */
  queryUsage(callIds: readonly string[], more?: object): Promise<UsageAnswer>;
  /** Sends POST /calls/usage; returns the answer unchecked. */
  sendUsageRequest(callIds: readonly string[], more?: object): Promise<TestAnswer>;
  /** A start as an item of /call/upsert_batch. */
  startItem(shape: CallShape, more?: object): object;
  /** An end as an item of /call/upsert_batch; without a trace id unless `more` has one. */
  endItem(shape: CallShape, more?: object): object;
  /** A complete call as an item of /v2/…/calls/complete. */
  completeCall(shape: CallShape, more?: object): object;
}

/** A service on its own ClickHouse database. */
export interface UsageClient {
  readonly clickhouse: TestClickHouse;
  readonly service: TestService;
  /** A client of a project that no other test uses. */
  newProject(): Project;
  close(): Promise<void>;
}

const time = '2026-01-31T12:00:00Z';

/** Starts the service, with other settings if given, and its database; the caller closes them. */
export async function openUsageClient(
  settings: Readonly<Record<string, string>> = {},
): Promise<UsageClient> {
  const clickhouse = await openTestClickHouse();
  const service = await openService({ ...clickhouse.environment, ...settings });
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

/** A client of one project at a given service. */
export function toProject(service: TestService, id: string): Project {
  const post = async (path: string, body: object): Promise<TestAnswer> => {
    const answer = await service.send(path, { body });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).not.toContain('"dropped"');
    return answer;
  };
  const send = (callIds: readonly string[], more?: object): Promise<TestAnswer> =>
    service.send('/calls/usage', { body: { project_id: id, call_ids: callIds, ...more } });
  const items = itemsOf(id);
  return {
    id,
    ...items,
    sendUsageRequest: send,
    upsertBatch: async (...batch) => {
      await post('/call/upsert_batch', { batch });
    },
    sendCompleteCalls: async (...calls) => {
      const batch = calls.map((call) => items.completeCall(call));
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

/** Request items that describe calls of a project. */
function itemsOf(project_id: string): Pick<Project, 'startItem' | 'endItem' | 'completeCall'> {
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

/** Parses a 200 of POST /calls/usage, which must match the contract exactly. */
function parseAnswer(answer: TestAnswer): UsageAnswer {
  expect(answer.status, answer.text).toBe(200);
  const parsed = answer.json() as UsageAnswer;
  expect(isCallsUsageRes(parsed), JSON.stringify(isCallsUsageRes.errors)).toBe(true);
  expect(Object.keys(parsed)).toEqual(['call_usage', 'unfinished_call_ids']);
  return parsed;
}

/** Prompt tokens of one model and call in an answer; 0 when absent. */
export function promptTokens({ call_usage }: UsageAnswer, callId: string, model = 'm'): number {
  return call_usage[callId]?.[model]?.prompt_tokens ?? 0;
}

/** `summary.usage` with prompt tokens of the model `m` only. */
export function promptUsage(prompt_tokens: number): object {
  return { m: { prompt_tokens } };
}

/** The contract, parsed. */
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

/** Whether a value is a valid `CallsUsageRes`. */
const isCallsUsageRes = ajv.compile({ $ref: 'contract#/components/schemas/CallsUsageRes' });
