import type { TracesQueryReq } from '../../openapi-types.ts';
import { toNameFilter } from '../stats/stats-filter.ts';
import { toWindow } from '../stats/stats-query.ts';
import { parseCursor, type TracePosition } from './trace-position.ts';

/** Which traces are requested, in which order. */
export interface TracesQuery {
  readonly request: TracesQueryReq;
  /** Parameters of all statements that choose traces. */
  readonly parameters: TraceParameters;
  readonly models: readonly string[];
  /** Null from the first trace on. */
  readonly after: TracePosition | null;
}

/** The window, in microseconds since 1970, and the parameters of trace_filter.sql. */
interface TraceParameters {
  readonly project_id: string;
  readonly start_us: bigint;
  readonly end_us: bigint;
  readonly op_names: readonly string[];
  readonly op_name_prefixes: readonly string[];
  readonly wb_user_ids: readonly string[];
  readonly thread_ids: readonly string[];
  readonly search: string;
  readonly has_error_filter: boolean;
  readonly has_error: boolean;
  readonly is_running_filter: boolean;
  readonly is_running: boolean;
}

/**
 * @param now ISO 8601, for a request without an end
 * @param maxLimit the most traces that one answer may have
 * @throws {TraceLimitError}
 * @throws {CursorError}
 */
export function toTracesQuery(request: TracesQueryReq, now: string, maxLimit: number): TracesQuery {
  if (request.limit > maxLimit) throw new TraceLimitError(maxLimit);
  const { window } = toWindow(request, now);
  const { search, models, has_error, is_running, ...names } = request.filter ?? {};
  const { op_names, op_name_prefixes, wb_user_ids, thread_ids } = toNameFilter(names);
  const parameters = {
    project_id: request.project_id,
    start_us: window.startUs,
    end_us: window.endUs,
    ...{ op_names, op_name_prefixes, wb_user_ids, thread_ids },
    search: search ?? '',
    has_error_filter: has_error !== undefined && has_error !== null,
    has_error: has_error ?? false,
    is_running_filter: is_running !== undefined && is_running !== null,
    is_running: is_running ?? false,
  };
  return { request, parameters, models: [...new Set(models)], after: parseCursor(request) };
}

/** The start and the end of the window, for statements that filter nothing else. */
export function toWindowParameters({ parameters }: TracesQuery) {
  const { project_id, start_us, end_us } = parameters;
  return { project_id, start_us, end_us };
}

/** A request asks for more traces than one answer may have. */
export class TraceLimitError extends Error {
  override readonly name = 'TraceLimitError';
  readonly maxLimit: number;

  constructor(maxLimit: number) {
    super(`At most ${maxLimit} traces are in one answer`);
    this.maxLimit = maxLimit;
  }
}
