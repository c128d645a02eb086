import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { apiErrors } from '../api-errors.ts';
import { createCosts } from '../../prices/create-costs.ts';
import { listUnpricedModels, type UnpricedModel } from '../../prices/list-unpriced-models.ts';
import { purgeCosts, toCostIds } from '../../prices/purge-costs.ts';
import { queryCosts } from '../../prices/query-costs.ts';
import type { ResolveAliases } from '../../prices/resolve-aliases.ts';
import { resolveCosts } from '../../prices/resolve-costs.ts';
import type { Handler } from '../route.ts';
import { JsonText } from '../send-answer.ts';

interface CostOptions {
  readonly clickhouse: ClickHouse;
  readonly resolveAliases: ResolveAliases;
}

interface CostHandlers {
  readonly create: Handler<'CostCreateReq'>;
  readonly query: Handler<'CostQueryReq'>;
  readonly purge: Handler<'CostPurgeReq'>;
  readonly listUnpricedModels: Handler<'CostUnpricedReq'>;
  readonly resolve: Handler<'CostResolveReq'>;
}

/** Prices of projects, and which price applies to a model. */
export function costHandlers({ clickhouse, resolveAliases }: CostOptions): CostHandlers {
  return {
    async create({ body: { project_id, costs }, key }) {
      const byModel = new Map(Object.entries(costs));
      if (byModel.size === 0) return { ids: [] };
      return { ids: await createCosts(clickhouse, project_id, byModel, key.name) };
    },
    async query({ body, signal }) {
      return { results: await queryCosts(clickhouse, body, signal) };
    },
    async purge({ body: { project_id, query } }) {
      const ids = toCostIds(query.$expr);
      if (ids === undefined) {
        throw apiErrors.badRequest('Can only purge costs by specifying one or more cost ids');
      }
      await purgeCosts(clickhouse, project_id, ids);
      return {};
    },
    async listUnpricedModels({ body, signal }) {
      const models = await listUnpricedModels(clickhouse, resolveAliases, body, signal);
      return new JsonText(toUnpricedFragments(models));
    },
    async resolve({ body, signal }) {
      return { results: await resolveCosts(clickhouse, resolveAliases, body, signal) };
    },
  };
}

function* toUnpricedFragments(models: readonly UnpricedModel[]): Generator<string> {
  let separator = '{"results":[';
  for (const model of models) {
    yield separator + toJson(model);
    separator = ',';
  }
  yield models.length === 0 ? `${separator}]}` : ']}';
}

/** Sums are written as the digits that ClickHouse answered, since they may exceed what a JavaScript number holds. */
function toJson({ llm_id, ...sums }: UnpricedModel): string {
  const numbers = Object.entries(sums).map(([name, sum]) => `,"${name}":${sum}`);
  return `{"llm_id":${JSON.stringify(llm_id)}${numbers.join('')}}`;
}
