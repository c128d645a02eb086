import { largeSeries, pageOfRoots, project, type Scale, toCallId } from '../project/scale.ts';
import { type ApiResponse, authorization, post } from '../support/usage-api.ts';

/** A request that is measured, and the calls whose flat sum it is compared with. */
export interface ListRequest {
  readonly name: string;
  readonly title: string;
  /** The root of the trace that is requested; undefined for the whole project. */
  readonly rootId?: string;
  /** @param traceId that of the root */
  readonly send: (serviceUrl: string, traceId: string) => Promise<ApiResponse>;
}

/** All calls of the project. */
const window = { start: '2026-06-01T00:00:00Z', end: '2027-01-01T00:00:00Z' };

/** What the page and the SDKs request, in this order. */
export function listRequests(scale: Scale): readonly ListRequest[] {
  return [...ofProject, ...ofTraces(scale)];
}

/** What the page's chart shows. */
const usageMetrics = [
  'requests',
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'total_tokens',
  'total_cost',
].map((metric) => ({ metric }));
const callMetrics = ['call_count', 'error_count'].map((metric) => ({ metric }));

const ofProject: readonly ListRequest[] = [
  {
    name: 'stats_days',
    title: 'the chart: all days by model',
    send: (url) =>
      post(`${url}/calls/stats`, {
        ...{ project_id: project, ...window, granularity: 86_400, group_by: ['model'] },
        ...{ usage_metrics: usageMetrics, call_metrics: callMetrics },
      }),
  },
  { name: 'traces_newest', title: 'the newest 100 traces', send: (url) => queryTraces(url, {}) },
  {
    name: 'traces_by_cost',
    title: 'the 100 most expensive traces',
    send: (url) => queryTraces(url, { sort_by: { field: 'cost' } }),
  },
  {
    name: 'traces_filtered',
    title: 'the newest 100 traces with a model, without totals',
    send: (url) => queryTraces(url, { filter: { models: ['gpt-4o'] }, include_totals: false }),
  },
  {
    name: 'calls_newest',
    title: 'the newest 100 calls with costs',
    send: (url) =>
      post(`${url}/calls/stream_query`, {
        ...{ project_id: project, limit: 100, include_costs: true },
        sort_by: [{ field: 'started_at', direction: 'desc' }],
      }),
  },
  {
    name: 'calls_counted',
    title: 'how many calls there are',
    send: (url) => post(`${url}/calls/query_stats`, { project_id: project }),
  },
  { name: 'projects', title: 'the projects', send: (url) => get(`${url}/projects`) },
  {
    name: 'export_hours',
    title: 'an export of all hours by model',
    send: (url) => {
      const query = { project, ...window, bucket: 'hour', format: 'csv' };
      return get(`${url}/usage/export?${new URLSearchParams(query).toString()}`);
    },
  },
];

function ofTraces(scale: Scale): readonly ListRequest[] {
  const [small = ''] = pageOfRoots(scale, 'own', 1);
  const large = toCallId(largeSeries.large, 0, 0);
  const level = { parent_id: large, limit: 100 };
  return [
    {
      ...{ name: 'tree_100', title: 'the tree of a trace of 100 calls', rootId: small },
      send: (url, trace) => queryTree(url, { filter: { trace_ids: [trace] } }),
    },
    {
      ...{ name: 'explain_root', title: 'the bill of a trace of 100 calls', rootId: small },
      send: (url) => {
        const body = { project_id: project, call_ids: [small], include_costs: true };
        return post(`${url}/usage/explain`, body);
      },
    },
    {
      name: 'level_large',
      title: `100 children of the root of ${scale.largeTrace.toLocaleString('en')} calls`,
      rootId: large,
      send: (url, trace) => queryTree(url, { filter: { trace_ids: [trace] }, level }),
    },
  ];
}

function queryTraces(url: string, more: object): Promise<ApiResponse> {
  return post(`${url}/traces/query`, { project_id: project, ...window, limit: 100, ...more });
}

function queryTree(url: string, more: object): Promise<ApiResponse> {
  const body = { project_id: project, include_costs: true, limit: 1_000_000, ...more };
  return post(`${url}/trace/usage`, body);
}

async function get(url: string): Promise<ApiResponse> {
  const response = await fetch(url, { headers: { authorization } });
  return { status: response.status, text: await response.text() };
}
