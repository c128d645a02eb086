import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { ResolveAliases } from './resolve-aliases.ts';

export interface UnpricedQuery {
  readonly project_id: string;
  /** ISO 8601, inclusive; all calls up to `before` where it is absent. */
  readonly after?: string | null;
  /** ISO 8601, exclusive. */
  readonly before?: string | null;
  readonly limit: number;
}

/** A model without a price, and what calls stored that used it; sums as text, exact. */
export interface UnpricedModel {
  readonly llm_id: string;
  readonly calls: string;
  readonly requests: string;
  readonly prompt_tokens: string;
  readonly completion_tokens: string;
  readonly total_tokens: string;
}

interface Row {
  readonly llm_id: string;
  readonly calls: string;
  readonly counters: readonly string[];
}

/** After what has only an end, which stands at the first moment of 1900, and after every call that there can be. */
const [earliest, latest] = ['1900-01-01T00:00:00.000001Z', '2299-12-31T23:59:59.999999Z'];

/** How often names are learned for one answer; what is left over then, is the next time. */
const learningRounds = 5;

/**
 * Finds the models of a project's calls that have no price. Names that only nobody has asked about yet get theirs
 * first. It counts what calls stored: where SDKs roll usage up, a call's tokens stand in those above it too.
 */
export async function findUnpriced(
  clickhouse: ClickHouse,
  resolveAliases: ResolveAliases,
  { project_id, after, before, limit }: UnpricedQuery,
  signal: AbortSignal,
): Promise<UnpricedModel[]> {
  const parameters = {
    project_id,
    after: toDateTime64(after ?? earliest),
    before: toDateTime64(before ?? latest),
    limit,
  };
  const read = (): Promise<Row[]> =>
    clickhouse.read<Row>('unpriced_models', parameters, { signal });
  let rows = await read();
  // What has learned a price makes room for others.
  for (let round = 0; round < learningRounds; round += 1) {
    const learned = await resolveAliases(rows.map((row) => row.llm_id));
    if (learned.size === 0) break;
    rows = await read();
  }
  return rows.map(toUnpriced);
}

function toUnpriced({ llm_id, calls, counters }: Row): UnpricedModel {
  const [requests = '0', prompt_tokens = '0', completion_tokens = '0', total_tokens = '0'] =
    counters;
  return { llm_id, calls, requests, prompt_tokens, completion_tokens, total_tokens };
}
