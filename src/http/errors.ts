import type { ErrorRequestHandler } from 'express';
import { QueueFullError } from '../batcher.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../clickhouse/errors.ts';
import { MemoryBudgetError } from '../memory-budget.ts';
import { NotReadyError } from '../readiness.ts';
import { LimitExceededError } from '../usage/calls-usage.ts';
import { ApiError, apiErrors } from './api-errors.ts';
import { isDisconnected } from './request-log.ts';
import { toIssue } from './validation/issues.ts';

/** Sends errors in FastAPI's format; their causes are logged, never sent. */
export function sendErrors(): ErrorRequestHandler {
  // Express recognizes error middleware by its four parameters.
  return (error: unknown, _request, response, _next) => {
    const apiError = toApiError(error);
    if (apiError.cause !== undefined) response.locals.cause = apiError.cause;
    if (isDisconnected(response)) return;
    if (response.headersSent) {
      response.destroy();
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
  if (error instanceof MemoryBudgetError) {
    return apiErrors.unavailable(memoryBudgetDetails[error.scope], error);
  }
  if (error instanceof NotReadyError) return apiErrors.unavailable(error.reason.detail, error);
  if (error instanceof LimitExceededError) {
    const { calls, limit } = error;
    return apiErrors.invalid([toIssue('limit_exceeded', ['body', 'limit'], calls, limit)]);
  }
  return toClickHouseApiError(error) ?? toBodyApiError(error) ?? apiErrors.internal(error);
}

const queueFullDetails = {
  'usage requests': 'Too many usage requests are queued; try again.',
  inserts: 'Too many calls wait to be inserted; try again.',
} as const;

const memoryBudgetDetails = {
  key: 'The requests of this key take all memory that one key may take; try again.',
  total: 'The requests of all keys take all memory that requests may take; try again.',
} as const;

function toClickHouseApiError(error: unknown): ApiError | undefined {
  if (error instanceof ClickHouseUnavailableError) {
    return apiErrors.unavailable('ClickHouse is unavailable; try again.', error);
  }
  if (error instanceof ClickHouseOverloadedError) {
    return apiErrors.unavailable('ClickHouse is overloaded; try again.', error);
  }
  if (error instanceof QueryTimeoutError) {
    return apiErrors.timedOut('The query exceeded its time limit.', error);
  }
  return error instanceof ResultTooLargeError
    ? apiErrors.invalid([toIssue('answer_too_large', ['body'])])
    : undefined;
}

/** What body-parser, zlib and the router throw for invalid requests. */
interface LibraryError extends Error {
  readonly type?: string;
  readonly code?: string;
}

function toBodyApiError(error: unknown): ApiError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { type, code } = error as LibraryError;
  if (type === 'entity.too.large') return apiErrors.tooLarge('The body is larger than the limit.');
  if (type === 'encoding.unsupported') {
    return apiErrors.unsupportedMedia(
      'Only the content encodings gzip, deflate and br are supported.',
    );
  }
  if (type === 'request.aborted' || type === 'request.size.invalid') {
    return apiErrors.invalid([toIssue('value_error', ['body'], 'bodyIncomplete')]);
  }
  if (code !== undefined && /^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ERR_PADDING)/.test(code)) {
    return apiErrors.invalid([toIssue('value_error', ['body'], 'bodyEncoding')]);
  }
  // The path has a malformed percent encoding.
  return error instanceof URIError ? apiErrors.notFound() : undefined;
}
