/** Sends a planned forest to a service and compares every answer with the oracle's. */
import { randomUUID } from 'node:crypto';

import type { TestClickHouse } from '../../support/clickhouse/clickhouse.ts';
import type { TestService } from '../../support/http/service.ts';
import type {
  Part,
  Plan,
  PlannedPhase,
  PlannedPrice,
  PlannedUsageRequest,
  PlannedRequest,
} from './plan-forest.ts';
import { JsonNumber, toObject, writeJson, type Json, type JsonObject } from '../json.ts';
import {
  answer,
  answerTrace,
  isBelowTop,
  isTop,
  callsOf,
  countDeleted,
  countTouched,
  type Event,
  type Price,
} from '../oracle.ts';
import { toBatches, toSingle } from './part-requests.ts';
import { canBeInserted, toDateTime, toPartRow } from './part-row.ts';
import { readTree, toComparableTree } from '../read-tree.ts';
import { describeDifference, readAnswer, toComparable } from '../read-answer.ts';

export interface Target {
  readonly service: Pick<TestService, 'send'>;
  /** For inserts without the service: parts of a pipeline, and default prices. */
  readonly clickhouse: Pick<TestClickHouse, 'insert'>;
  /** Waits until the traces of the projects are rolled up, as far as they can be. */
  readonly settle?: (projects: readonly string[]) => Promise<void>;
}

/** Counts of what was done so far. */
export interface Tally {
  forests: number;
  calls: number;
  /** Requests of all kinds. */
  requests: number;
  /** Answers of POST /calls/usage and /calls/delete, each compared with the oracle's. */
  answers: number;
  /** Calls whose usage is in those answers. */
  entries: number;
  /** Calls of answers of POST /trace/usage. */
  treeCalls: number;
}

export function newTally(): Tally {
  return { forests: 0, calls: 0, requests: 0, answers: 0, entries: 0, treeCalls: 0 };
}

/**
 * @throws {Error} an answer differs from the oracle's; the message has the difference and everything that was sent before
 */
export async function runForest(plan: Plan, target: Target, tally: Tally): Promise<void> {
  const run = new ForestRun(target, tally);
  for (const phase of plan.phases) await run.runPhase(phase);
  const last = plan.phases.at(-1);
  if (last !== undefined && target.settle !== undefined) await run.repeatSettled(last);
  tally.forests += 1;
  tally.calls += plan.callCount;
}

class ForestRun {
  readonly #target: Target;
  readonly #tally: Tally;
  /** The acknowledged requests. */
  readonly #events: Event[] = [];
  /** The requests that were sent, for the error message. */
  readonly #sent: string[] = [];

  constructor(target: Target, tally: Tally) {
    this.#target = target;
    this.#tally = tally;
  }

  async runPhase({
    prices,
    requests,
    parallel,
    deletions,
    usageRequests,
  }: PlannedPhase): Promise<void> {
    // In sequence, because of equal prices the one created last applies.
    for (const price of prices) await this.#sendPrice(price);
    await inParallel(parallel, requests, (request) => this.#sendParts(request));
    for (const { project, callIds } of deletions) await this.#delete(project, callIds);
    await inParallel(parallel, usageRequests, (usageRequest) => this.#queryUsage(usageRequest));
  }

  /** Usage requests are answered while traces are rolled up, and once more after that. */
  async repeatSettled({ parallel, usageRequests }: PlannedPhase): Promise<void> {
    const projects = new Set(usageRequests.map(({ project }) => project));
    await this.#target.settle?.([...projects]);
    await inParallel(parallel, usageRequests, (usageRequest) => this.#queryUsage(usageRequest));
  }

  // Prices

  async #sendPrice({ price, isDeleted }: PlannedPrice): Promise<void> {
    const key = {
      id: price.project === undefined ? randomUUID() : await this.#createCost(price),
      pricing_level: price.project === undefined ? 'default' : 'project',
      pricing_level_id: price.project ?? 'default',
      llm_id: price.model,
    };
    if (price.project === undefined)
      await this.#insert('llm_token_prices', [toPriceRow(key, price)]);
    if (isDeleted) {
      const end = { ...key, is_deleted: 1, created_at: '2200-01-01 00:00:00' };
      await this.#insert('llm_token_prices', [end]);
    } else this.#events.push({ kind: 'price', price });
  }

  /** @returns the id of the price */
  async #createCost(price: Price): Promise<string> {
    const costs = new Map([[price.model, toCost(price)]]);
    const body = toObject({ project_id: price.project, costs });
    const { ids } = JSON.parse(await this.#post('/cost/create', body)) as { ids: [[string]] };
    return ids[0][0];
  }

  // Parts

  async #sendParts({ channel, hasInvalidItem, parts: all }: PlannedRequest): Promise<void> {
    const isSpan = ({ part }: Part): boolean => part.has('span');
    await this.#insertParts(all.filter(isSpan));
    const parts = all.filter((part) => !isSpan(part));
    if (channel === 'table') await this.#insertParts(parts);
    else if (channel === 'batch') await this.#sendBatches(parts, hasInvalidItem);
    else for (const part of parts) await this.#sendSingle(part, channel === 'single, v2');
    this.#events.push(...all);
  }

  async #insertParts(parts: readonly Part[]): Promise<void> {
    const rows = parts.filter(canBeInserted).map(toPartRow);
    if (rows.length > 0) await this.#insert('call_parts', rows);
    await this.#sendBatches(
      parts.filter((part) => !canBeInserted(part)),
      false,
    );
  }

  /** @param hasInvalidItem whether to add an item that the service must drop without dropping others */
  async #sendBatches(parts: readonly Part[], hasInvalidItem: boolean): Promise<void> {
    for (const { path, body } of toBatches(parts)) {
      const batch = body.get('batch') as Json[];
      if (hasInvalidItem)
        batch.splice(1, 0, toObject({ mode: 'start', req: { start: { id: 7 } } }));
      const result = JSON.parse(await this.#post(path, body)) as {
        readonly res?: readonly object[];
        readonly num_dropped?: number;
      };
      this.#expect('num_dropped', hasInvalidItem ? 1 : 0, result.num_dropped ?? 0);
      const isUpsert = path === '/call/upsert_batch';
      this.#expect('length of res', isUpsert ? batch.length : 0, result.res?.length ?? 0);
    }
  }

  async #sendSingle(single: Part, isV2: boolean): Promise<void> {
    const { kind, part } = single;
    const { path, body } = toSingle(single, isV2);
    const ids = { id: part.get('id'), trace_id: part.get('trace_id') };
    const expected = JSON.stringify(kind === 'start' ? ids : {});
    this.#expect('answer', expected, await this.#post(path, body));
  }

  // Answers

  async #delete(project: string, callIds: readonly string[]): Promise<void> {
    const expected = countDeleted(this.#events, project, callIds);
    const body = toObject({ project_id: project, call_ids: callIds });
    const text = await this.#post('/calls/delete', body);
    this.#expect('deletion', `{"num_deleted":${expected}}`, text);
    this.#events.push({ kind: 'deletion', project, callIds });
    this.#tally.answers += 1;
  }

  async #queryUsage({
    project,
    callIds,
    includeCosts,
    limit: kind,
  }: PlannedUsageRequest): Promise<void> {
    const touched = countTouched(this.#events, { project, callIds });
    const atLeastOne = (limit: bigint): bigint => (limit < 1n ? 1n : limit);
    const limits = {
      default: undefined,
      exact: atLeastOne(touched),
      'one less': atLeastOne(touched - 1n),
      plenty: 1_000_000n,
    };
    const limit = limits[kind];
    const expected = answer(this.#events, {
      project,
      callIds,
      includeCosts,
      limit: limit ?? 10_000n,
    });
    const body = toObject({
      ...{ project_id: project, call_ids: callIds, limit },
      // The default is false.
      include_costs: includeCosts || undefined,
    });
    const { status, text } = await this.#send('/calls/usage', body);
    this.#expect('answer', toComparable(expected), toComparable(readAnswer(status, text)));
    this.#tally.answers += 1;
    this.#tally.entries += expected.kind === 'usage' ? expected.callUsage.size : 0;
    const [call] = callsOf(this.#events, project).filter(({ id }) => callIds.includes(id));
    // A tree takes five requests.
    const isTreeAsked = this.#tally.answers % 4 === 0;
    if (call !== undefined && isTreeAsked)
      await this.#queryTrace(project, call.traceId, includeCosts);
  }

  /** Requests the usage of all calls of a trace, and then level by level, two calls at a time. */
  async #queryTrace(project: string, traceId: string, includeCosts: boolean): Promise<void> {
    const asked = { project, traceId, includeCosts };
    const expected = answerTrace(this.#events, asked, false);
    const request = {
      ...{ project_id: project, filter: toObject({ trace_ids: [traceId] }) },
      include_costs: includeCosts,
    };
    const all = await this.#post('/trace/usage', toObject(request));
    this.#expect('trace', toComparableTree(expected), readTree(all));
    this.#tally.treeCalls += expected.length;
    const levels = answerTrace(this.#events, asked, true);
    const first = levels.slice(0, 1).map(({ call }) => call);
    // Which span of a response counts in and below a cycle depends on what of it is on the page.
    for (const parent of [null, ...first.filter(isBelowTop)]) {
      const onLevel = levels.filter(({ call }) =>
        parent === null ? isTop(call) : call !== parent && call.parent === parent,
      );
      for (let offset = 0; offset < 4; offset += 2) {
        const level = toObject({ parent_id: parent?.id ?? null, limit: 2, offset });
        const page = await this.#post('/trace/usage', toObject({ ...request, level }));
        const calls = onLevel.slice(offset, offset + 2);
        this.#expect('level', toComparableTree(calls, onLevel.length), readTree(page));
      }
    }
  }

  // Requests
  async #post(path: string, body: JsonObject): Promise<string> {
    const { status, text } = await this.#send(path, body);
    this.#expect('status', 200, status === 200 ? status : `${status} ${text}`);
    return text;
  }

  async #send(path: string, body: JsonObject): Promise<{ status: number; text: string }> {
    const text = writeJson(body);
    this.#sent.push(`POST ${path} ${text}`);
    this.#tally.requests += 1;
    return await this.#target.service.send(path, { body: text });
  }

  async #insert(table: string, rows: readonly object[]): Promise<void> {
    this.#sent.push(...rows.map((row) => `INSERT INTO ${table} ${JSON.stringify(row)}`));
    this.#tally.requests += 1;
    await this.#target.clickhouse.insert(table, rows);
  }

  #expect(what: string, expected: string | number, actual: string | number): void {
    if (actual === expected) return;
    const difference = describeDifference(String(expected), String(actual));
    const message = [`${what} ${difference}`, 'after, in this order:', ...this.#sent];
    throw new Error(message.join('\n').slice(0, 20_000));
  }
}

/** Processes all items with this many in flight. */
async function inParallel<T>(
  workers: number,
  items: readonly T[],
  process: (item: T) => Promise<void>,
): Promise<void> {
  const remaining = items.values();
  const worker = async (): Promise<void> => {
    for (const item of remaining) await process(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

export function toCost({
  costs,
  promptTokensAbove,
  serviceTier,
  minutesOfWeek,
  effectiveDate,
}: Price): JsonObject {
  const number = (text: string | undefined): Json | undefined =>
    text === undefined ? undefined : new JsonNumber(text);
  return toObject({
    prompt_token_cost: number(costs.prompt),
    completion_token_cost: number(costs.completion),
    cache_read_input_token_cost: number(costs.cacheRead),
    cache_creation_input_token_cost: number(costs.cacheWrite),
    cache_creation_1h_input_token_cost: number(costs.cacheWrite1h),
    audio_input_token_cost: number(costs.audioInput),
    audio_output_token_cost: number(costs.audioOutput),
    prompt_tokens_above: promptTokensAbove,
    service_tier: serviceTier === '' ? undefined : serviceTier,
    minutes_of_week: minutesOfWeek,
    effective_date: effectiveDate,
  });
}

function toPriceRow(key: object, price: Price): object {
  const { costs } = price;
  return {
    ...key,
    provider_id: 'any',
    effective_date: toDateTime(price.effectiveDate),
    prompt_token_cost: costs.prompt,
    completion_token_cost: costs.completion,
    cache_read_input_token_cost: costs.cacheRead ?? null,
    cache_creation_input_token_cost: costs.cacheWrite ?? null,
    cache_creation_1h_input_token_cost: costs.cacheWrite1h ?? null,
    audio_input_token_cost: costs.audioInput ?? null,
    audio_output_token_cost: costs.audioOutput ?? null,
    prompt_tokens_above: String(price.promptTokensAbove),
    service_tier: price.serviceTier,
    minutes_of_week: price.minutesOfWeek,
  };
}
