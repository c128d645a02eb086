import { toUnixMicroseconds } from '../clickhouse/client/date-time64.ts';
import type { CostCreateInput } from '../openapi-types.ts';
import { toCostColumns } from './create-costs.ts';
import type { PriceSnapshot } from './snapshot/price-snapshot.ts';
import type { PriceSnapshots } from './snapshot/price-snapshots.ts';

/** Prices as they are, and as they would be if {@link createCosts} stored further ones now. */
export interface ProposedPrices {
  readonly current: PriceSnapshot;
  readonly proposed: PriceSnapshot;
}

/**
 * Nothing is stored.
 * @param costs from llm_id to its price
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function proposeCosts(
  prices: Pick<PriceSnapshots, 'propose'>,
  projectId: string,
  costs: ReadonlyMap<string, CostCreateInput>,
  signal: AbortSignal,
): Promise<ProposedPrices> {
  const now = new Date().toISOString();
  const rows = [...costs].map(([llm_id, cost]) => {
    const { effective_date, prompt_tokens_above, ...columns } = toCostColumns(llm_id, cost, now);
    return {
      ...columns,
      effective_us: String(toUnixMicroseconds(effective_date)),
      effective_date: `${effective_date.replace(' ', 'T')}Z`,
      // Of equal prices, the one that is made last applies.
      created_us: String(BigInt(Date.parse(now)) * 1_000n + 999n),
      prompt_tokens_above: String(prompt_tokens_above),
      is_ignored: 0 as const,
      row_hashes: '0',
    };
  });
  return await prices.propose(projectId, rows, signal);
}
