import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { TracesQueryReq } from '../../openapi-types.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import { runInSlices } from '../../slices/run-in-slices.ts';
import type { TurnQueue } from '../../queues/turn-queue.ts';
import { type AnswerContext, type AnswerLimits, AnswerQueue } from '../answer-queue.ts';
import type { Fragments } from '../usage-json.ts';
import type { LiveSource } from '../stats/sources/live-source.ts';
import { listSettled } from './list-settled.ts';
import { type LiveTraceLimits, readLiveTraces } from './read-live-traces.ts';
import { readPage } from './read-page.ts';
import { toTracesQuery } from './trace-query.ts';
import { sumTraces } from './trace-totals.ts';
import { toTracesFragments } from './traces-json.ts';

export interface TraceListOptions {
  readonly clickhouse: ClickHouse;
  readonly live: Pick<LiveSource, 'readUsage'>;
  readonly prices: Pick<PriceSnapshots, 'current'>;
  /** Of the rollups that may be used; null for none. */
  readonly rulesVersion: string | null;
  readonly queue: TurnQueue;
  readonly limits: AnswerLimits & LiveTraceLimits;
  /** Traces of one answer at most. */
  readonly maxLimit: number;
}

/**
 * Answers POST /traces/query. The steps: list the traces that rollups answer, with their sums; read the other ones live; put
 * both into one order; read what the page needs from the rollups of its traces; write the answer.
 */
export class TraceList {
  readonly #options: TraceListOptions;
  readonly #queue: AnswerQueue;

  constructor(options: TraceListOptions) {
    this.#options = options;
    this.#queue = new AnswerQueue(options.queue, options.limits);
  }

  /**
   * @returns the JSON text of a `TracesQueryRes` in pieces
   * @throws {TraceLimitError} the request asks for too many traces
   * @throws {CursorError} the cursor is not one of this list
   * @throws {LiveTracesError} too many traces have no rollup
   * @throws {WindowTooLargeError} traces without a rollup have too many calls
   * @throws the same errors as {@link AnswerQueue.add} and {@link ClickHouse.read}
   */
  async answer(request: TracesQueryReq, context: AnswerContext): Promise<Uint8Array[]> {
    return await this.#queue.add(context, (options) => this.#read(request, context, options));
  }

  async #read(
    request: TracesQueryReq,
    { reservation }: AnswerContext,
    options: Required<ReadOptions>,
  ): Promise<Fragments> {
    const { clickhouse, live: source, prices: snapshots, rulesVersion } = this.#options;
    const { limits, maxLimit } = this.#options;
    const { signal } = options;
    const prices = request.include_costs
      ? await snapshots.current(request.project_id, signal)
      : null;
    const query = toTracesQuery(request, new Date().toISOString(), maxLimit);
    const sources = { clickhouse, live: source, rulesVersion, prices };
    const settled = await listSettled(sources, query, limits.maxTraces, options);
    const live = await readLiveTraces(sources, query, settled.liveTraceIds, {
      ...{ limits, options, reservation },
    });
    const page = await readPage(sources, query, settled.page, live, options);
    const totals = request.include_totals
      ? await runInSlices(sumTraces(settled.totals, live), signal)
      : null;
    return toTracesFragments(request, page, totals);
  }
}
