import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { Readiness } from '../readiness.ts';
import type { PartInserter } from '../ingest/part-inserter.ts';
import type { PriceSnapshots } from '../prices/snapshot/price-snapshots.ts';
import type { CallsUsage } from '../usage/calls-usage.ts';
import type { CallList } from '../usage/lists/call-list.ts';
import type { TraceUsage } from '../usage/trees/trace-usage.ts';
import type { UsageExport } from '../usage/export/usage-export.ts';
import type { ProjectList } from '../usage/projects/project-list.ts';
import type { CallStats } from '../usage/stats/call-stats.ts';
import type { TraceList } from '../usage/traces/trace-list.ts';
import { createFeedback, createFeedbackBatch, updateCall } from './compat/feedback-handlers.ts';
import { createFile, readFileForm } from './compat/file-handlers.ts';
import { graphQlHandler } from './compat/graphql-handler.ts';
import { createObject } from './compat/object-handlers.ts';
import { queryTable, tableRule, TableRows } from './compat/table-handlers.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type CountDropped, sendMetrics } from './metrics.ts';
import { exportTraces } from './otlp/export-traces.ts';
import type { OpenApi } from './validation/openapi.ts';
import { callHandlers } from './routes/call-handlers.ts';
import { costHandlers } from './routes/cost-handlers.ts';
import {
  get,
  ingest,
  ingestBatch,
  post,
  type Route,
  stub,
  stubOfProjects,
  stubWithItems,
  withContentType,
} from './route.ts';
import {
  answerAlive,
  checkHealth,
  checkReadiness,
  describeServer,
  docsRoutes,
  sendDocument,
} from './routes/service-handlers.ts';
import { exportRoute } from './routes/export-route.ts';
import { listHandlers } from './routes/list-handlers.ts';
import { pageRoutes } from './routes/page-routes.ts';
import { projectsRoute } from './routes/projects-route.ts';
import { statsHandlers } from './routes/stats-handlers.ts';
import { queryTracesHandler } from './routes/trace-handlers.ts';
import { usageHandler } from './routes/usage-handler.ts';

/** What the handlers work with. */
export interface Services {
  readonly clickhouse: ClickHouse;
  readonly readiness: Readiness;
  readonly partInserter: PartInserter;
  readonly openApi: OpenApi;
  readonly callsUsage: CallsUsage;
  readonly callStats: CallStats;
  readonly usageExport: UsageExport;
  readonly callList: CallList;
  readonly traceUsage: TraceUsage;
  readonly traceList: TraceList;
  readonly projectList: ProjectList;
  readonly prices: PriceSnapshots;
  readonly countDropped: CountDropped;
  readonly metrics: Metrics;
}

/**
 * Every route of the service: path, scope, schema of the request, field of its project id, handler. Scopes and schemas
 * are checked before a handler is called, and the key against the project; see `src/http/route.ts`.
 */
export function routeTable(services: Services): Route[] {
  const calls = callHandlers(services);
  const graphQl = graphQlHandler(services.openApi);
  const usage = usageHandler(services.callsUsage);
  const explanation = usageHandler(services.callsUsage, true);
  const { answer: stats } = statsHandlers(services.callStats);
  const queryTraces = queryTracesHandler(services.traceList);
  return [
    post('/calls/usage', 'read', 'CallsUsageReq', 'project_id', usage),
    withContentType(post('/usage/explain', 'read', 'CallsUsageReq', 'project_id', explanation)),
    withContentType(post('/calls/stats', 'read', 'CallStatsReq', 'project_id', stats)),
    withContentType(post('/traces/query', 'read', 'TracesQueryReq', 'project_id', queryTraces)),
    exportRoute(services.usageExport),
    projectsRoute(services.projectList),

    ...listRoutes(services),

    ingest('/call/start', 'CallStartReq', 'start.project_id', calls.insertStart),
    ingest('/call/end', 'CallEndReq', 'end.project_id', calls.insertEnd),
    ingestBatch('/call/upsert_batch', 'CallCreateBatchReq', calls.openPartBatch),
    ingest(`${v2}/call/start`, 'CallStartReq', 'start.project_id', calls.insertStart),
    ingest(`${v2}/call/end`, 'CallEndReq', 'end.project_id', calls.insertEnd),
    ingestBatch(`${v2}/calls/complete`, 'CallsUpsertCompleteReq', calls.openCompleteCallBatch),
    post('/calls/delete', 'write', 'CallsDeleteReq', 'project_id', calls.deleteCalls),

    exportTraces('/otel/v1/traces', services),
    exportTraces('/agents/otel/v1/traces', services),
    exportTraces('/v1/traces', services),

    stub('/obj/create', 'ObjCreateReq', 'obj.project_id', createObject),
    stub('/file/create', 'FileCreateReq', 'project_id', createFile, readFileForm),
    stub('/files/create', 'FileCreateReq', 'project_id', createFile, readFileForm),
    createTableRoute(services.openApi),
    stub('/table/query', 'TableQueryReq', 'project_id', queryTable),
    stub('/feedback/create', 'FeedbackCreateReq', 'project_id', createFeedback),
    stubOfProjects(
      '/feedback/batch/create',
      'write',
      'FeedbackCreateBatchReq',
      createFeedbackBatch,
    ),
    stub('/call/update', 'CallUpdateReq', 'project_id', updateCall),
    withContentType(stubOfProjects('/graphql', 'any', 'GraphQlReq', graphQl)),

    ...costRoutes(services),

    get('/livez', 'public', answerAlive),
    get('/readyz', 'public', checkReadiness(services.readiness)),
    get('/health', 'public', checkHealth(services.readiness)),
    get('/metrics', 'metrics', sendMetrics(services.metrics)),
    get('/server_info', 'any', describeServer(services.openApi)),
    get('/openapi.json', 'any', sendDocument(services.openApi)),
    ...docsRoutes(),
    ...pageRoutes(),
  ];
}

const v2 = '/v2/:entity/:project';

function listRoutes(services: Services): Route[] {
  const lists = listHandlers(services.callList, services.traceUsage);
  return [
    post('/calls/stream_query', 'read', 'CallsQueryReq', 'project_id', lists.listCalls),
    post('/calls/query_stats', 'read', 'CallsQueryStatsReq', 'project_id', lists.countCalls),
    post('/call/read', 'read', 'CallReadReq', 'project_id', lists.readCall),
    withContentType(post('/trace/usage', 'read', 'TraceUsageReq', 'project_id', lists.answerTrace)),
  ];
}

function costRoutes(services: Services): Route[] {
  const costs = costHandlers(services);
  const unpriced = costs.listUnpricedModels;
  const { previewCosts: preview } = statsHandlers(services.callStats);
  return [
    post('/cost/create', 'prices', 'CostCreateReq', 'project_id', costs.create),
    withContentType(post('/cost/preview', 'read', 'CostPreviewReq', 'project_id', preview)),
    post('/cost/query', 'read', 'CostQueryReq', 'project_id', costs.query),
    post('/cost/purge', 'prices', 'CostPurgeReq', 'project_id', costs.purge),
    withContentType(post('/cost/unpriced', 'read', 'CostUnpricedReq', 'project_id', unpriced)),
    withContentType(post('/cost/resolve', 'read', 'CostResolveReq', 'project_id', costs.resolve)),
  ];
}

function createTableRoute(openApi: OpenApi): Route {
  const maxRows = openApi.maxItemsOf('TableSchemaForInsert', 'rows');
  const newRows = () => new TableRows(maxRows);
  return stubWithItems('/table/create', 'TableCreateReq', 'table.project_id', tableRule, newRows);
}
