import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';

import { runInSlices } from '../../src/slices/run-in-slices.ts';
import { bindParameters } from '../../src/clickhouse/client/statements/bind-parameters.ts';
import { parseQuery } from '../../src/clickhouse/client/statements/queries.ts';
import { project } from '../project/scale.ts';
import { readRows } from '../support/bench-client.ts';
import { refuseFailure, requestUsage } from '../support/usage-api.ts';
import { type FetchedCall, rollUpCalls, type Totals } from './client-side-roll-up.ts';
import {
  fetchCallsStatement,
  flatSumStatement,
  keysStatement,
  levelByLevelStatement,
} from './strategy-statements.ts';

/**
 * The strategies by their names in the JSON report: the flat sum, which is the lower bound; `POST /calls/usage`; the same of
 * a service without rollups; the recursion in SQL; the client-side roll-up.
 */
export const strategyNames = ['floor', 'ours', 'live', 'level_by_level', 'fetch_and_fold'] as const;
export type StrategyName = (typeof strategyNames)[number];

/** Computes the usage of the requested calls. */
export type Strategy = (requested: RequestedCalls) => Promise<Totals>;

export interface RequestedCalls {
  readonly ids: readonly string[];
  /** The keys in `merged_calls` of those ids that exist, for the client-side roll-up. */
  readonly keys: ReadonlyMap<string, string>;
}

/** The settings of the service's own reads, so that no strategy has an advantage. */
const readSettings: ClickHouseSettings = {
  readonly: '2',
  wait_end_of_query: 1,
  http_response_buffer_size: String(16 * 1024 * 1024),
  max_memory_usage: String(4096 * 1024 * 1024),
  output_format_json_quote_64bit_integers: 1,
};

/** Time limit of every statement but the recursion, in seconds. */
const timeoutSeconds = 60;

/** The addresses of the service, and of the one without rollups. */
export interface ServiceUrls {
  readonly ours: string;
  readonly live: string;
}

/** @param recursionTimeoutSeconds time limit of the recursion, which some scenarios cannot finish */
export function createStrategies(
  client: ClickHouseClient,
  urls: ServiceUrls,
  recursionTimeoutSeconds: number,
): Readonly<Record<StrategyName, Strategy>> {
  const readTotals = async (
    name: StrategyName,
    statement: string,
    ids: readonly string[],
    seconds: number,
  ): Promise<Totals> =>
    toTotals(await (await sendStatement(client, name, statement, ids, seconds)).json());
  return {
    floor: ({ ids }) => readTotals('floor', flatSumStatement, ids, timeoutSeconds),
    ours: ({ ids }) => readUsage(urls.ours, ids),
    live: ({ ids }) => readUsage(urls.live, ids),
    level_by_level: ({ ids }) =>
      readTotals('level_by_level', levelByLevelStatement, ids, recursionTimeoutSeconds),
    fetch_and_fold: async ({ ids, keys }) => rollUpCalls(await fetchCalls(client, ids), keys),
  };
}

async function readUsage(serviceUrl: string, ids: readonly string[]): Promise<Totals> {
  const response = await requestUsage(serviceUrl, project, ids);
  refuseFailure(response);
  return parseResponse(response.text);
}

async function fetchCalls(
  client: ClickHouseClient,
  ids: readonly string[],
): Promise<FetchedCall[]> {
  const name = 'fetch_and_fold';
  const result = await sendStatement(client, name, fetchCallsStatement, ids, timeoutSeconds);
  const calls: FetchedCall[] = [];
  for await (const rows of result.stream<FetchedCall>()) {
    for (const row of rows) calls.push(row.json());
  }
  return calls;
}

/** Reads the keys of the calls with these ids. Clients of Weave know them without a query, so it is not timed. */
export async function locateCalls(
  client: ClickHouseClient,
  ids: readonly string[],
): Promise<RequestedCalls> {
  const query = parseQuery('keys', keysStatement);
  const { text, values } = await runInSlices(bindParameters(query, { project, ids }));
  const rows = await readRows<{ id: string; key: string }>(client, text, values);
  return { ids, keys: new Map(rows.map(({ id, key }) => [id, key])) };
}

async function sendStatement(
  client: ClickHouseClient,
  name: StrategyName,
  statement: string,
  ids: readonly string[],
  seconds: number,
) {
  const query = parseQuery(name, statement);
  const { text, values } = await runInSlices(bindParameters(query, { project, ids }));
  return await client.query({
    query: text,
    query_params: values,
    format: 'JSONEachRow',
    clickhouse_settings: {
      ...readSettings,
      max_execution_time: seconds,
      log_comment: `bench_${name}`,
    },
  });
}

interface SumRow {
  readonly call: string;
  readonly model: string;
  readonly requests: string;
  readonly prompt: string;
  readonly completion: string;
  readonly total: string;
}

function toTotals(rows: readonly SumRow[]): Totals {
  return new Map(
    rows.map((row) => [
      `${row.call}\n${row.model}`,
      [row.requests, row.prompt, row.completion, row.total].map(Number),
    ]),
  );
}

function parseResponse(text: string): Totals {
  const { call_usage } = JSON.parse(text) as {
    call_usage: Record<string, Record<string, Record<string, number>>>;
  };
  const fields = ['requests', 'prompt_tokens', 'completion_tokens', 'total_tokens'];
  return new Map(
    Object.entries(call_usage).flatMap(([id, models]) =>
      Object.entries(models).map(([model, usage]) => [
        `${id}\n${model}`,
        fields.map((field) => usage[field] ?? 0),
      ]),
    ),
  );
}
