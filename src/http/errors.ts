import type { ErrorRequestHandler } from 'express';
import { QueueFullError, QueueWaitError } from '../queues/queue-errors.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  DiskFullError,
  DamagedDataError,
  type DamageState,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../clickhouse/errors.ts';
import { MemoryBudgetError } from '../memory-budget.ts';
import { NotReadyError } from '../readiness.ts';
import { LimitExceededError } from '../usage/limits/limit-exceeded-error.ts';
import { TooManyProjectsError } from '../usage/export/usage-export.ts';
import { RepeatedIdError } from '../usage/trees/trace-usage.ts';
import { ProjectLimitError } from '../usage/projects/project-list.ts';
import { WindowTooLargeError } from '../usage/stats/sources/live-source.ts';
import { LiveTracesError } from '../usage/traces/list-settled.ts';
import { CursorError } from '../usage/traces/trace-position.ts';
import { TraceLimitError } from '../usage/traces/trace-query.ts';
import { maxBuckets, TooManyBucketsError } from '../usage/stats/time-buckets.ts';
import { ApiError, apiErrors } from './api-errors.ts';
import { isOtlpPath, sendStatus } from './otlp/otlp-format.ts';
import { isDisconnected } from './request-log.ts';
import { toIssue } from './validation/issues.ts';

/** Sends errors in FastAPI's format, or in that of OTLP; their causes are logged, never sent. */
export function sendErrors(): ErrorRequestHandler {
  // Express recognizes error middleware by its four parameters.
  return (error: unknown, request, response, _next) => {
    const apiError = toApiError(error);
    if (apiError.cause !== undefined) response.locals.cause = apiError.cause;
    if (isDisconnected(response)) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (isOtlpPath(request.path)) {
      sendStatus(response, request, apiError);
      return;
    }
    response.status(apiError.status).set(apiError.headers).json({ detail: apiError.detail });
  };
}

/** The response for anything that was thrown: the only place that knows the HTTP status of a domain error. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof QueueFullError) {
    return apiErrors.unavailable(queueFullDetails[error.queue], error);
  }
  if (error instanceof QueueWaitError) {
    return apiErrors.unavailable(queueWaitDetails[error.queue], error);
  }
  if (error instanceof MemoryBudgetError) {
    return apiErrors.unavailable(memoryBudgetDetails[error.scope], error);
  }
  if (error instanceof NotReadyError) return apiErrors.unavailable(error.reason.detail, error);
  // The path has a malformed percent encoding.
  if (error instanceof URIError) return apiErrors.notFound();
  return toRequestError(error) ?? toClickHouseApiError(error) ?? apiErrors.internal(error);
}

/** A request asks for more than is answered. */
function toRequestError(error: unknown): ApiError | undefined {
  if (error instanceof LimitExceededError) {
    const { calls, limit } = error;
    return apiErrors.invalid([toIssue('limit_exceeded', ['body', 'limit'], calls, limit)]);
  }
  if (error instanceof WindowTooLargeError) {
    const { calls, limit } = error;
    return apiErrors.invalid([toIssue('window_too_large', ['body', 'start'], calls, limit)]);
  }
  if (error instanceof TooManyBucketsError) {
    const { buckets, groups } = error;
    const loc = ['body', 'granularity'];
    return apiErrors.invalid([toIssue('too_many_buckets', loc, buckets, groups, maxBuckets)]);
  }
  if (error instanceof TooManyProjectsError) {
    return apiErrors.invalid([
      toIssue('too_many_projects', ['query', 'project'], error.maxProjects),
    ]);
  }
  if (error instanceof LiveTracesError) {
    const { traces, limit } = error;
    return apiErrors.invalid([
      toIssue('too_many_live_traces', ['body', 'project_id'], traces, limit),
    ]);
  }
  if (error instanceof TraceLimitError) {
    const { maxLimit } = error;
    return apiErrors.invalid([
      toIssue('less_than_equal', ['body', 'limit'], maxLimit, 'TRACES_MAX_LIMIT'),
    ]);
  }
  if (error instanceof ProjectLimitError) {
    const { maxLimit } = error;
    return apiErrors.invalid([
      toIssue('less_than_equal', ['query', 'limit'], maxLimit, 'PROJECTS_MAX_LIMIT'),
    ]);
  }
  if (error instanceof RepeatedIdError) {
    const { callId, traceIds } = error;
    return apiErrors.invalid([toIssue('id_repeated', ['body', 'filter'], callId, traceIds)]);
  }
  if (error instanceof CursorError) {
    return apiErrors.invalid([toIssue('value_error', ['body', 'cursor'], error.reason)]);
  }
  return undefined;
}

const queueFullDetails = {
  'usage requests': 'Too many usage requests are queued; try again.',
  'stats requests': 'Too many requests for statistics are queued; try again.',
  'list requests': 'Too many requests for lists are queued; try again.',
  inserts: 'Too many calls wait to be inserted; try again.',
} as const;

const queueWaitDetails = {
  'usage requests': 'The usage request was queued for too long; try again.',
  'stats requests': 'The request for statistics was queued for too long; try again.',
  'list requests': 'The request for a list was queued for too long; try again.',
  inserts: 'The calls were queued for too long; try again.',
} as const;

const memoryBudgetDetails = {
  key: 'The requests of this key take all memory that one key may take; try again.',
  total: 'The requests of all keys take all memory that requests may take; try again.',
} as const;

/** Without details, which are for the operator: they are in the log. */
export const damageDetails: Readonly<Record<DamageState, string>> = {
  damaged: 'Stored calls or prices are damaged; the operator of the service has to act.',
  rebuilding: 'Calls are derived again after stored data was damaged; try again.',
  unreadable: 'ClickHouse cannot read stored data that this request needs.',
};

function toClickHouseApiError(error: unknown): ApiError | undefined {
  if (error instanceof ClickHouseUnavailableError) {
    return apiErrors.unavailable('ClickHouse is unavailable; try again.', error);
  }
  if (error instanceof ClickHouseOverloadedError) {
    return apiErrors.unavailable('ClickHouse is overloaded; try again.', error);
  }
  if (error instanceof DiskFullError) {
    return apiErrors.unavailable('ClickHouse has no disk space left.', error);
  }
  if (error instanceof DamagedDataError) {
    return apiErrors.unavailable(damageDetails[error.state], error);
  }
  if (error instanceof QueryTimeoutError) {
    return apiErrors.timedOut('The query exceeded its time limit.', error);
  }
  return error instanceof ResultTooLargeError
    ? apiErrors.invalid([toIssue('answer_too_large', ['body'])])
    : undefined;
}
