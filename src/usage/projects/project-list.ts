import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import { addMoney, type Money } from '../../money.ts';
import type { ProjectsQuery } from '../../openapi-types.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import { runInSlices } from '../../slices/run-in-slices.ts';
import type { TurnQueue } from '../../queues/turn-queue.ts';
import { type AnswerContext, type AnswerLimits, AnswerQueue } from '../answer-queue.ts';
import { splitPatterns } from '../export/usage-export.ts';
import { WindowTooLargeError } from '../stats/sources/live-source.ts';
import type { StatsSource } from '../stats/sources/stats-source.ts';
import { sumUsage } from '../stats/stats-sums.ts';
import type { Fragments } from '../usage-json.ts';
import { countProjects, type ProjectCounts } from './count-projects.ts';
import { type Project, toProjectsFragments } from './projects-json.ts';

export interface ProjectListOptions {
  readonly clickhouse: ClickHouse;
  /** Of the rollups that may be used; null for none. */
  readonly rulesVersion: string | null;
  readonly source: StatsSource;
  readonly prices: Pick<PriceSnapshots, 'current'>;
  readonly queue: TurnQueue;
  readonly limits: AnswerLimits;
  /** Projects of one answer at most. */
  readonly maxLimit: number;
}

interface ProjectsContext extends AnswerContext {
  /** Patterns of the projects that may be read. */
  readonly readable: readonly string[];
}

const dayUs = 86_400_000_000n;

/**
 * Answers GET /projects. The steps: find the projects of the page, count their calls, sum up what those with calls in the last
 * 24 hours used, as statistics do.
 */
export class ProjectList {
  readonly #options: ProjectListOptions;
  readonly #queue: AnswerQueue;

  constructor(options: ProjectListOptions) {
    this.#options = options;
    this.#queue = new AnswerQueue(options.queue, options.limits);
  }

  /**
   * @returns the JSON text of a `ProjectsRes` in pieces
   * @throws {ProjectLimitError} the request asks for too many projects
   * @throws the same errors as {@link AnswerQueue.add} and {@link ClickHouse.read}
   */
  async answer(query: ProjectsQuery, context: ProjectsContext): Promise<Uint8Array[]> {
    const { maxLimit } = this.#options;
    if (query.limit > maxLimit) throw new ProjectLimitError(maxLimit);
    return await this.#queue.add(context, (options) =>
      this.#read(query, context.readable, options),
    );
  }

  async #read(
    query: ProjectsQuery,
    readable: readonly string[],
    options: Required<ReadOptions>,
  ): Promise<Fragments> {
    const found = await this.#findProjects(query, readable, options);
    const page = found.slice(0, query.limit);
    const { clickhouse, rulesVersion } = this.#options;
    const counts = await countProjects({ clickhouse, rulesVersion }, page, options);
    const endUs = BigInt(Date.now()) * 1_000n;
    const projects: Project[] = [];
    for (const id of page) projects.push(await this.#toProject(id, counts.get(id), endUs, options));
    return toProjectsFragments(projects, found.length > page.length);
  }

  /** Those of the page, and the first one after it. */
  async #findProjects(
    { limit, cursor = '', search = '' }: ProjectsQuery,
    readable: readonly string[],
    options: Required<ReadOptions>,
  ): Promise<string[]> {
    const key = splitPatterns(readable);
    const parameters = {
      ...{ ...key, key_ids: key.ids, key_prefixes: key.prefixes },
      ...{ search, after: cursor, max_projects: limit + 1 },
    };
    const { clickhouse } = this.#options;
    const rows = await clickhouse.read<{ project_id: string }>(
      'find_projects',
      parameters,
      options,
    );
    return rows.map(({ project_id }) => project_id);
  }

  async #toProject(
    id: string,
    counts: ProjectCounts | undefined,
    endUs: bigint,
    options: Required<ReadOptions>,
  ): Promise<Project> {
    if (counts === undefined) return { ...noCalls, id };
    const { calls, traces, lastStartedUs } = counts;
    const hasRecent = lastStartedUs >= endUs - dayUs;
    const usage = hasRecent ? await this.#readCost(id, endUs, options) : noCost;
    return { id, calls: String(calls), traces: String(traces), lastStartedUs, ...usage };
  }

  /** What POST /calls/stats answers; of a project for which it refuses to, because of its size, nothing is known. */
  async #readCost(
    projectId: string,
    endUs: bigint,
    options: Required<ReadOptions>,
  ): Promise<ProjectCost> {
    const { source, prices } = this.#options;
    const snapshot = await prices.current(projectId, options.signal);
    const query = {
      ...{ projectId, window: { startUs: endUs - dayUs, endUs }, bucketStarts: [0n] },
      ...{ groupColumns: [], filter: {}, boundaries: snapshot.boundaries, withValues: false },
    };
    try {
      const { rows } = await source.readUsage(query, options);
      const { groups, unpriced } = await runInSlices(sumUsage(rows, [], snapshot), options.signal);
      const sums = [...groups.values()].flatMap((buckets) => [...buckets.values()]);
      if (sums.length === 0) return noCost;
      const cost = sums.reduce<Money | null>(
        (total, { promptCost, completionCost }) =>
          addMoney(total, addMoney(promptCost, completionCost)),
        null,
      );
      return { cost, isLowerBound: unpriced.size > 0 };
    } catch (error) {
      if (error instanceof WindowTooLargeError) return { cost: null, isLowerBound: true };
      throw error;
    }
  }
}

type ProjectCost = Pick<Project, 'cost' | 'isLowerBound'>;

const noCost: ProjectCost = { cost: 0n, isLowerBound: false };

const noCalls = { calls: '0', traces: '0', lastStartedUs: null, ...noCost };

/** A request asks for more projects than one answer may have. */
export class ProjectLimitError extends Error {
  override readonly name = 'ProjectLimitError';
  readonly maxLimit: number;

  constructor(maxLimit: number) {
    super(`At most ${maxLimit} projects are in one answer`);
    this.maxLimit = maxLimit;
  }
}
