import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { apiErrors } from '../api-errors.ts';
import { createCosts } from '../../prices/create-costs.ts';
import {
  listUnpricedModels,
  type UnpricedModel,
  type UnpricedUsage,
} from '../../prices/list-unpriced-models.ts';
import { purgeCosts, toCostIds } from '../../prices/purge-costs.ts';
import { queryCosts } from '../../prices/query-costs.ts';
import { resolveCosts } from '../../prices/resolve-costs.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import type { Handler } from '../route.ts';
import { JsonText } from '../send-answer.ts';

interface CostOptions {
  readonly clickhouse: ClickHouse;
  readonly prices: PriceSnapshots;
}

interface CostHandlers {
  readonly create: Handler<'CostCreateReq'>;
  readonly query: Handler<'CostQueryReq'>;
  readonly purge: Handler<'CostPurgeReq'>;
  readonly listUnpricedModels: Handler<'CostUnpricedReq'>;
  readonly resolve: Handler<'CostResolveReq'>;
}

/** Prices of projects, and which price applies to a model. */
export function costHandlers({ clickhouse, prices }: CostOptions): CostHandlers {
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
      return new JsonText(
        toUnpricedFragments(await listUnpricedModels(clickhouse, prices, body, signal)),
      );
    },
    async resolve({ body, signal }) {
      return { results: await resolveCosts(prices, body, signal) };
    },
  };
}

function* toUnpricedFragments({ models, notContained }: UnpricedUsage): Generator<string> {
  yield '{"results":[';
  yield* toList(models.map(toJson));
  yield '],"not_contained":[';
  yield* toList(
    notContained.map(
      ({ llm_id, calls, units }) =>
        `{"llm_id":${JSON.stringify(llm_id)},"calls":${calls},"units":${JSON.stringify(units)}}`,
    ),
  );
  yield ']}';
}

function* toList(entries: readonly string[]): Generator<string> {
  let separator = '';
  for (const entry of entries) {
    yield separator + entry;
    separator = ',';
  }
}

/** Sums are written as the digits that ClickHouse answered, since they may exceed what a JavaScript number holds. */
function toJson({ llm_id, ...sums }: UnpricedModel): string {
  const numbers = Object.entries(sums).map(([name, sum]) => `,"${name}":${sum}`);
  return `{"llm_id":${JSON.stringify(llm_id)}${numbers.join('')}}`;
}
