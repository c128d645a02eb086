import type { RequestHandler } from 'express';
import type { Engine } from '../engine/engine.ts';
import { type CostCreateInput, createCosts } from '../prices/prices.ts';
import { keyOf, requireProjects, requireRight } from './auth.ts';
import { readJsonBody } from './body.ts';
import type { OpenApi } from './openapi.ts';
import type { Route } from './route.ts';

interface PriceRouteOptions {
  readonly engine: Engine;
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
}

/** Prices coming in. */
export function priceRoutes({ engine, openApi, bodyLimitBytes }: PriceRouteOptions): Route[] {
  return [
    {
      method: 'post',
      path: '/cost/create',
      handlers: [
        requireRight('prices'),
        ...readJsonBody(bodyLimitBytes),
        addCosts(engine, openApi),
      ],
    },
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
