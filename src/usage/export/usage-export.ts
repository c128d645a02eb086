import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import type { UsageExportQuery } from '../../openapi-types.ts';
import type { AnswerContext } from '../answer-queue.ts';
import type { CallStats } from '../stats/call-stats.ts';
import { toExportRows } from './export-rows.ts';
import { exportFormats } from './export-formats.ts';

export interface UsageExportOptions {
  readonly clickhouse: ClickHouse;
  readonly callStats: CallStats;
  /** Projects of one export. */
  readonly maxProjects: number;
}

interface ExportContext extends AnswerContext {
  /** Patterns of the projects that may be read. */
  readonly readable: readonly string[];
}

interface ExportFile {
  /** The next one rejects as {@link UsageExport.open} does. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** How many distinct ids and patterns of the request no project matches that has calls and may be read. */
  readonly unknownProjects: number;
}

/**
 * Answers GET /usage/export. Projects are read one after another, as statistics are, and no faster than the client takes
 * their rows: whatever the length of the file, the service holds the rows of one project.
 */
export class UsageExport {
  readonly #options: UsageExportOptions;

  constructor(options: UsageExportOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the rows of the first project are there.
   * @throws {TooManyProjectsError}
   * @throws the same errors as {@link CallStats.answer}
   */
  async open(query: UsageExportQuery, context: ExportContext): Promise<ExportFile> {
    const { projects, unknownProjects } = await this.#findProjects(query.project, context);
    const pieces = this.#writeFile(query, projects, context);
    // The header of the file, which is sent with the first rows, so that an error can still be answered.
    const first = await pieces.next();
    const second = await pieces.next();
    const all = (async function* () {
      for (const { value, done } of [first, second]) if (done !== true) yield value;
      yield* pieces;
    })();
    return { pieces: all, unknownProjects };
  }

  /** Ascending. Without a pattern, ids are taken as they are: a window is validated for unknown ones, too. */
  async #findProjects(
    patterns: readonly string[],
    { readable, reservation, signal }: ExportContext,
  ): Promise<{ projects: string[] } & Pick<ExportFile, 'unknownProjects'>> {
    const { clickhouse, maxProjects } = this.#options;
    const requested = splitPatterns(patterns);
    const key = splitPatterns(readable);
    requireAtMost(maxProjects, requested.ids);
    const parameters = {
      ...requested,
      ...{ key_ids: key.ids, key_prefixes: key.prefixes, max_projects: maxProjects + 1 },
      ...{ search: '', after: '' },
    };
    const reserve = (bytes: number): void => reservation.resize(reservation.bytes + bytes);
    const rows = await clickhouse.read<{ project_id: string }>('find_projects', parameters, {
      ...{ signal, reserve },
    });
    const found = rows.map(({ project_id }) => project_id);
    requireAtMost(maxProjects, found);
    return {
      projects: requested.prefixes.length === 0 ? requested.ids : found,
      unknownProjects: countUnknown(requested, found),
    };
  }

  async *#writeFile(
    query: UsageExportQuery,
    projects: readonly string[],
    context: ExportContext,
  ): AsyncGenerator<Uint8Array, void> {
    const names = query.group_by.filter((name) => name !== 'model');
    const file = exportFormats[query.format].begin(names);
    // One end for all projects.
    const windowEnd = query.end ?? new Date().toISOString();
    if (file.header.length > 0) yield file.header;
    for (const project_id of projects) {
      const request = {
        ...{ project_id, start: query.start, end: windowEnd, timezone: query.timezone },
        ...{ granularity: query.bucket, group_by: ['model' as const, ...names] },
        usage_metrics: [{ metric: 'total_cost' as const, aggregations: [], percentiles: [] }],
      };
      yield* await this.#options.callStats.writeUsage(request, context, (plan, usage) =>
        file.toFragments(toExportRows(plan, usage, { ...query, project_id, names })),
      );
    }
    const end = file.end();
    if (end.length > 0) yield end;
  }
}

/** Whether a name is `*` or `entity/*`. */
export function isPattern(project: string): boolean {
  return project === '*' || project.endsWith('/*');
}

/** Ids, and the beginnings of the others. */
export function splitPatterns(patterns: readonly string[]): { ids: string[]; prefixes: string[] } {
  return {
    ids: [...new Set(patterns)].filter((project) => !isPattern(project)).sort(),
    prefixes: [...new Set(patterns)].filter(isPattern).map((pattern) => pattern.slice(0, -1)),
  };
}

function countUnknown(
  { ids, prefixes }: ReturnType<typeof splitPatterns>,
  found: readonly string[],
): number {
  const known = new Set(found);
  const isUnmatched = (prefix: string) => !found.some((project) => project.startsWith(prefix));
  return ids.filter((id) => !known.has(id)).length + prefixes.filter(isUnmatched).length;
}

function requireAtMost(maxProjects: number, projects: readonly string[]): void {
  if (projects.length > maxProjects) throw new TooManyProjectsError(maxProjects);
}

/** More projects match than one export may have. */
export class TooManyProjectsError extends Error {
  override readonly name = 'TooManyProjectsError';
  readonly maxProjects: number;

  constructor(maxProjects: number) {
    super(`More than ${maxProjects} projects match`);
    this.maxProjects = maxProjects;
  }
}
