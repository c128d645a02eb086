import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { CostUnpricedReq } from '../openapi-types.ts';
import type { ResolveAliases } from './resolve-aliases.ts';

/** A model without a price, and the usage of its calls as stored. Sums are exact: strings of all digits. */
export interface UnpricedModel {
  readonly llm_id: string;
  readonly calls: string;
  readonly requests: string;
  readonly prompt_tokens: string;
  readonly completion_tokens: string;
  readonly total_tokens: string;
}

/** A row of unpriced_models.sql. */
interface UnpricedRow {
  readonly llm_id: string;
  readonly calls: string;
  readonly counters: readonly string[];
}

/** A call of which only the end has arrived is stored with the first instant of 1900, and is not listed. */
const minStartedAt = '1900-01-01T00:00:00.000001Z';
const maxStartedAt = '2299-12-31T23:59:59.999999Z';

/** How often aliases are resolved for one request; what is left then, later requests resolve. */
const maxAliasRounds = 5;

/**
 * Lists the models of a project's calls that have no price, after resolving model aliases, which may store them. The
 * counts are of usage as stored: where an SDK rolls up usage, the tokens of a call are counted again in its ancestors.
 */
export async function listUnpricedModels(
  clickhouse: ClickHouse,
  resolveAliases: ResolveAliases,
  { project_id, after, before, limit }: CostUnpricedReq,
  signal: AbortSignal,
): Promise<UnpricedModel[]> {
  const parameters = {
    project_id,
    after: toDateTime64(after ?? minStartedAt),
    before: toDateTime64(before ?? maxStartedAt),
    limit,
  };
  const readRows = (): Promise<UnpricedRow[]> =>
    clickhouse.read<UnpricedRow>('unpriced_models', parameters, { signal });
  let rows = await readRows();
  // A model that gets a price leaves the list, and another one takes its place within the limit.
  for (let round = 0; round < maxAliasRounds; round += 1) {
    const aliases = await resolveAliases(rows.map((row) => row.llm_id));
    if (aliases.size === 0) break;
    rows = await readRows();
  }
  return rows.map(toUnpricedModel);
}

function toUnpricedModel({ llm_id, calls, counters }: UnpricedRow): UnpricedModel {
  const [requests = '0', prompt_tokens = '0', completion_tokens = '0', total_tokens = '0'] =
    counters;
  return { llm_id, calls, requests, prompt_tokens, completion_tokens, total_tokens };
}
