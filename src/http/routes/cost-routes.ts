import type { RequestHandler } from 'express';
import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { apiErrors, type ValidationIssue } from '../../errors.ts';
import { CostFilterError, parseCostFilter, toCostIds } from '../../prices/cost-filter.ts';
import { purgeCosts } from '../../prices/purge-costs.ts';
import { type CostQuery, queryCosts } from '../../prices/query-costs.ts';
import type { ResolveAliases } from '../../prices/resolve-aliases.ts';
import { type CostCreateInput, createCosts } from '../../prices/create-costs.ts';
import { resolveCosts, type ResolveQuery } from '../../prices/resolve-costs.ts';
import {
  findUnpriced,
  type UnpricedModel,
  type UnpricedQuery,
} from '../../prices/unpriced-models.ts';
import { keyOf, requireProjects, requireScope } from '../auth/require-key.ts';
import { readJsonBody } from '../validation/json-body.ts';
import type { OpenApi } from '../validation/openapi.ts';
import { disconnectSignal } from '../context.ts';
import type { Route } from './route.ts';
import { isRecord, type Location } from '../validation/validator.ts';

interface PriceRouteOptions {
  readonly clickhouse: ClickHouse;
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
  readonly resolveAliases: ResolveAliases;
}

/** Prices of projects: made, asked for, taken back. */
export function priceRoutes(options: PriceRouteOptions): Route[] {
  const { clickhouse, openApi, bodyLimitBytes } = options;
  const post = (path: string, scope: 'read' | 'prices', handler: RequestHandler): Route => ({
    method: 'post',
    path,
    handlers: [requireScope(scope), ...readJsonBody(bodyLimitBytes), handler],
  });
  return [
    post('/cost/create', 'prices', addCosts(clickhouse, openApi)),
    post('/cost/query', 'read', askCosts(clickhouse, openApi)),
    post('/cost/purge', 'prices', removeCosts(clickhouse, openApi)),
    post('/cost/unpriced', 'read', askUnpriced(options)),
    post('/cost/resolve', 'read', askResolved(options)),
  ];
}

interface CostCreateRequest {
  readonly project_id: string;
  readonly costs: Readonly<Record<string, CostCreateInput>>;
}

function addCosts(clickhouse: ClickHouse, openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<CostCreateRequest>('CostCreateReq');
  return async (request, response) => {
    const { project_id, costs } = validator.parse(request.body, ['body']);
    requireProjects(response, [project_id]);
    const byModel = new Map(Object.entries(costs));
    const ids =
      byModel.size === 0
        ? []
        : await createCosts(clickhouse, project_id, byModel, keyOf(response).name);
    response.json({ ids });
  };
}

interface CostQueryRequest {
  readonly project_id: string;
  readonly fields?: CostQuery['fields'] | null;
  readonly query?: { readonly $expr: object } | null;
  readonly sort_by?: CostQuery['sortBy'] | null;
  readonly limit?: number | null;
  readonly offset?: number | null;
}

function askCosts(clickhouse: ClickHouse, openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<CostQueryRequest>('CostQueryReq', expressionIssues);
  return async (request, response) => {
    const asked = validator.parse(request.body, ['body']);
    requireProjects(response, [asked.project_id]);
    const query: CostQuery = {
      project_id: asked.project_id,
      where: asked.query ? parseCostFilter(asked.query.$expr, []) : undefined,
      fields: asked.fields ?? [],
      sortBy: asked.sort_by ?? [],
      limit: asked.limit ?? undefined,
      offset: asked.offset ?? 0,
    };
    response.json({ results: await queryCosts(clickhouse, query, disconnectSignal(response)) });
  };
}

/** What is wrong with an expression, which no schema can say. */
function expressionIssues(value: unknown, at: Location): ValidationIssue[] {
  const query = isRecord(value) ? value['query'] : undefined;
  if (!isRecord(query) || !isRecord(query['$expr'])) return [];
  try {
    parseCostFilter(query['$expr'], [...at, 'query', '$expr']);
    return [];
  } catch (error) {
    if (error instanceof CostFilterError) return [error.issue];
    throw error;
  }
}

interface CostPurgeRequest {
  readonly project_id: string;
  readonly query: { readonly $expr: object };
}

function removeCosts(clickhouse: ClickHouse, openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<CostPurgeRequest>('CostPurgeReq');
  return async (request, response) => {
    const { project_id, query } = validator.parse(request.body, ['body']);
    requireProjects(response, [project_id]);
    const ids = toCostIds(query.$expr);
    if (ids === undefined) {
      throw apiErrors.invalidCost('Can only purge costs by specifying one or more cost ids');
    }
    await purgeCosts(clickhouse, project_id, ids);
    response.json({});
  };
}

function askUnpriced({ clickhouse, openApi, resolveAliases }: PriceRouteOptions): RequestHandler {
  const validator = openApi.validatorOf<UnpricedQuery>('CostUnpricedReq');
  return async (request, response) => {
    const query = validator.parse(request.body, ['body']);
    requireProjects(response, [query.project_id]);
    const models = await findUnpriced(
      clickhouse,
      resolveAliases,
      query,
      disconnectSignal(response),
    );
    response.type('json').send(`{"results":[${models.map(toJson).join(',')}]}`);
  };
}

function askResolved({ clickhouse, openApi, resolveAliases }: PriceRouteOptions): RequestHandler {
  const validator = openApi.validatorOf<ResolveQuery>('CostResolveReq');
  return async (request, response) => {
    const query = validator.parse(request.body, ['body']);
    requireProjects(response, [query.project_id]);
    const results = await resolveCosts(
      clickhouse,
      resolveAliases,
      query,
      disconnectSignal(response),
    );
    response.json({ results });
  };
}

/** Sums are written digit by digit, since they may exceed what a JavaScript number holds. */
function toJson({ llm_id, ...sums }: UnpricedModel): string {
  const numbers = Object.entries(sums).map(([name, sum]) => `,"${name}":${sum}`);
  return `{"llm_id":${JSON.stringify(llm_id)}${numbers.join('')}}`;
}
