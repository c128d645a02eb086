import type { RequestHandler } from 'express';
import type { Engine } from '../engine/engine.ts';
import { apiErrors, type Fault } from '../errors.ts';
import { CostExpressionError, readCostExpression, toCostIds } from '../prices/cost-expression.ts';
import { purgeCosts } from '../prices/purge-costs.ts';
import { type CostQuery, queryCosts } from '../prices/query-costs.ts';
import type { LearnModels } from '../prices/learn-models.ts';
import { type CostCreateInput, createCosts } from '../prices/create-costs.ts';
import { resolveCosts, type ResolveQuery } from '../prices/resolve-costs.ts';
import { findUnpriced, type UnpricedModel, type UnpricedQuery } from '../prices/unpriced.ts';
import { keyOf, requireProjects, requireRight } from './auth.ts';
import { readJsonBody } from './body.ts';
import type { OpenApi } from './openapi.ts';
import { hangUpSignal } from './request-context.ts';
import type { Route } from './route.ts';
import { isRecord, type Location } from './validation.ts';

interface PriceRouteOptions {
  readonly engine: Engine;
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
  readonly learnModels: LearnModels;
}

/** Prices of projects: made, asked for, taken back. */
export function priceRoutes(options: PriceRouteOptions): Route[] {
  const { engine, openApi, bodyLimitBytes } = options;
  const post = (path: string, right: 'read' | 'prices', handler: RequestHandler): Route => ({
    method: 'post',
    path,
    handlers: [requireRight(right), ...readJsonBody(bodyLimitBytes), handler],
  });
  return [
    post('/cost/create', 'prices', addCosts(engine, openApi)),
    post('/cost/query', 'read', askCosts(engine, openApi)),
    post('/cost/purge', 'prices', removeCosts(engine, openApi)),
    post('/cost/unpriced', 'read', askUnpriced(options)),
    post('/cost/resolve', 'read', askResolved(options)),
  ];
}

interface CostCreateRequest {
  readonly project_id: string;
  readonly costs: Readonly<Record<string, CostCreateInput>>;
}

function addCosts(engine: Engine, openApi: OpenApi): RequestHandler {
  const checker = openApi.checkerOf<CostCreateRequest>('CostCreateReq');
  return async (request, response) => {
    const { project_id, costs } = checker.parse(request.body, ['body']);
    requireProjects(response, [project_id]);
    const byModel = new Map(Object.entries(costs));
    const ids =
      byModel.size === 0
        ? []
        : await createCosts(engine, project_id, byModel, keyOf(response).name);
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

function askCosts(engine: Engine, openApi: OpenApi): RequestHandler {
  const checker = openApi.checkerOf<CostQueryRequest>('CostQueryReq', expressionFaults);
  return async (request, response) => {
    const asked = checker.parse(request.body, ['body']);
    requireProjects(response, [asked.project_id]);
    const query: CostQuery = {
      project_id: asked.project_id,
      where: asked.query ? readCostExpression(asked.query.$expr, []) : undefined,
      fields: asked.fields ?? [],
      sortBy: asked.sort_by ?? [],
      limit: asked.limit ?? undefined,
      offset: asked.offset ?? 0,
    };
    response.json({ results: await queryCosts(engine, query, hangUpSignal(response)) });
  };
}

/** What is wrong with an expression, which no schema can say. */
function expressionFaults(value: unknown, at: Location): Fault[] {
  const query = isRecord(value) ? value['query'] : undefined;
  if (!isRecord(query) || !isRecord(query['$expr'])) return [];
  try {
    readCostExpression(query['$expr'], [...at, 'query', '$expr']);
    return [];
  } catch (error) {
    if (error instanceof CostExpressionError) return [error.fault];
    throw error;
  }
}

interface CostPurgeRequest {
  readonly project_id: string;
  readonly query: { readonly $expr: object };
}

function removeCosts(engine: Engine, openApi: OpenApi): RequestHandler {
  const checker = openApi.checkerOf<CostPurgeRequest>('CostPurgeReq');
  return async (request, response) => {
    const { project_id, query } = checker.parse(request.body, ['body']);
    requireProjects(response, [project_id]);
    const ids = toCostIds(query.$expr);
    if (ids === undefined) {
      throw apiErrors.invalidCost('Can only purge costs by specifying one or more cost ids');
    }
    await purgeCosts(engine, project_id, ids);
    response.json({});
  };
}

function askUnpriced({ engine, openApi, learnModels }: PriceRouteOptions): RequestHandler {
  const checker = openApi.checkerOf<UnpricedQuery>('CostUnpricedReq');
  return async (request, response) => {
    const query = checker.parse(request.body, ['body']);
    requireProjects(response, [query.project_id]);
    const models = await findUnpriced(engine, learnModels, query, hangUpSignal(response));
    response.type('json').send(`{"results":[${models.map(toJson).join(',')}]}`);
  };
}

function askResolved({ engine, openApi, learnModels }: PriceRouteOptions): RequestHandler {
  const checker = openApi.checkerOf<ResolveQuery>('CostResolveReq');
  return async (request, response) => {
    const query = checker.parse(request.body, ['body']);
    requireProjects(response, [query.project_id]);
    const results = await resolveCosts(engine, learnModels, query, hangUpSignal(response));
    response.json({ results });
  };
}

/** Sums are written digit by digit, since they may exceed what a JavaScript number holds. */
function toJson({ llm_id, ...sums }: UnpricedModel): string {
  const numbers = Object.entries(sums).map(([name, sum]) => `,"${name}":${sum}`);
  return `{"llm_id":${JSON.stringify(llm_id)}${numbers.join('')}}`;
}
