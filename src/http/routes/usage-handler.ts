import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import type { ResolveAliases } from '../../prices/resolve-aliases.ts';
import { createUsage } from '../../usage/calls-usage.ts';
import type { CoalescingLimits } from '../../usage/coalesce-queries.ts';
import type { CountPriced } from '../metrics.ts';
import { type Handler, JsonText } from './route.ts';

interface UsageOptions {
  readonly clickhouse: ClickHouse;
  readonly usageSharing: CoalescingLimits;
  readonly resolveAliases: ResolveAliases;
  readonly countPriced: CountPriced;
}

/** The handler of POST /calls/usage. */
export function usageHandler(options: UsageOptions): Handler<'CallsUsageReq'> {
  const { clickhouse, usageSharing, resolveAliases, countPriced } = options;
  const answerCallsUsage = createUsage(clickhouse, usageSharing, resolveAliases, countPriced);
  return async ({ body, signal }) => {
    // The contract has no upper bound for the limit; nobody has more calls than this.
    const limit = Math.min(body.limit, Number.MAX_SAFE_INTEGER);
    return new JsonText(await answerCallsUsage({ ...body, limit }, signal));
  };
}
