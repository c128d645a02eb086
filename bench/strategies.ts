import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';

import { bindParameters } from '../src/clickhouse/client/bind-parameters.ts';
import { parseQuery } from '../src/clickhouse/client/queries.ts';
import { foldCalls, type FetchedCall } from './client-side-roll-up.ts';
import { project } from './scale.ts';
import { askUsage } from './servers.ts';
import {
  fetchStatement,
  floorStatement,
  keysStatement,
  levelByLevelStatement,
} from './statements.ts';

export const wayNames = ['floor', 'ours', 'level_by_level', 'fetch_and_fold'] as const;
export type WayName = (typeof wayNames)[number];

/** Requests, prompt, completion and total tokens by what was asked for and model, divided by a line feed. */
export type Totals = Map<string, number[]>;

/** Answers a question in one way. */
export type Way = (ids: readonly string[]) => Promise<Totals>;

interface SumRow {
  readonly call: string;
  readonly model: string;
  readonly requests: string;
  readonly prompt: string;
  readonly completion: string;
  readonly total: string;
}

/** The settings of the service's own reads, so that none of the ways has it easier. */
const readSettings: ClickHouseSettings = {
  readonly: '2',
  wait_end_of_query: 1,
  http_response_buffer_size: String(16 * 1024 * 1024),
  max_memory_usage: String(4096 * 1024 * 1024),
  output_format_json_quote_64bit_integers: 1,
};

/** The four ways; `keys` knows what a requested call is called in the table, of each call that may be asked for. */
export function createWays(
  client: ClickHouseClient,
  serviceUrl: string,
  timeoutSeconds: number,
): Readonly<Record<WayName, Way>> {
  const send = (name: string, sql: string, ids: readonly string[], seconds: number) =>
    sendStatement(client, name, sql, ids, seconds);
  return {
    floor: async (ids) => toTotals(await (await send('floor', floorStatement, ids, 60)).json()),
    ours: async (ids) => {
      const { status, text } = await askUsage(serviceUrl, project, ids);
      if (status !== 200) throw new Error(`the service answers ${status}: ${text.slice(0, 200)}`);
      return readAnswer(text);
    },
    level_by_level: async (ids) => {
      const result = await send('level_by_level', levelByLevelStatement, ids, timeoutSeconds);
      return toTotals(await result.json());
    },
    fetch_and_fold: async (ids) => {
      const result = await send('fetch_and_fold', fetchStatement, ids, 60);
      const calls: FetchedCall[] = [];
      for await (const rows of result.stream()) {
        for (const row of rows) calls.push(row.json());
      }
      return foldCalls(calls, rootsOf.get(ids) ?? new Map<string, string>());
    },
  };
}

/** What Weave's process would know from the ids themselves; found before anything is timed. */
const rootsOf = new WeakMap<readonly string[], ReadonlyMap<string, string>>();

/** Finds the keys of a question's calls, for folding and for comparing. */
export async function readKeys(
  client: ClickHouseClient,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const result = await sendStatement(client, 'keys', keysStatement, ids, 60);
  const rows = await result.json<{ id: string; key: string }>();
  const keys = new Map(rows.map(({ id, key }) => [id, key]));
  rootsOf.set(ids, keys);
  return keys;
}

function sendStatement(
  client: ClickHouseClient,
  name: string,
  sql: string,
  ids: readonly string[],
  seconds: number,
) {
  const { text, values } = bindParameters(parseQuery(name, sql), { project, ids });
  return client.query({
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

function toTotals(rows: readonly SumRow[]): Totals {
  return new Map(
    rows.map((row) => [
      `${row.call}\n${row.model}`,
      [row.requests, row.prompt, row.completion, row.total].map(Number),
    ]),
  );
}

function readAnswer(text: string): Totals {
  const totals: Totals = new Map();
  const { call_usage } = JSON.parse(text) as {
    call_usage: Record<string, Record<string, Record<string, number>>>;
  };
  for (const [id, models] of Object.entries(call_usage)) {
    for (const [model, used] of Object.entries(models)) {
      const names = ['requests', 'prompt_tokens', 'completion_tokens', 'total_tokens'];
      totals.set(
        `${id}\n${model}`,
        names.map((name) => used[name] ?? 0),
      );
    }
  }
  return totals;
}
