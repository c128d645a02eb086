import type { RequestHandler } from 'express';
import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { apiErrors } from '../../errors.ts';
import type { CostPurgeReq, CostQueryReq } from '../../openapi-types.ts';
import { purgeCosts, toCostIds } from '../../prices/purge-costs.ts';
import { queryCosts } from '../../prices/query-costs.ts';
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

function askCosts(clickhouse: ClickHouse, openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<CostQueryReq>('CostQueryReq');
  return async (request, response) => {
    const query = validator.parse(request.body, ['body']);
    requireProjects(response, [query.project_id]);
    response.json({ results: await queryCosts(clickhouse, query, disconnectSignal(response)) });
  };
}

function removeCosts(clickhouse: ClickHouse, openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<CostPurgeReq>('CostPurgeReq');
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
