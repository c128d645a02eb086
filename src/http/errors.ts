import type { ErrorRequestHandler } from 'express';
import { QueueFullError } from '../batcher.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../clickhouse/errors.ts';
import { ApiError, apiErrors, type ValidationIssue } from '../errors.ts';
import { LimitExceededError } from '../usage/calls-usage.ts';
import { isDisconnected } from './context.ts';

/** Answers whatever went wrong, in FastAPI's shape; the cause goes to the log alone. */
export function sendErrors(): ErrorRequestHandler {
  // Express knows error middleware by its four parameters.
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

const queueFullDetails = {
  'usage requests': 'Too many usage requests are queued; try again.',
  inserts: 'Too many calls wait to be inserted; try again.',
} as const;

/** What the client is told of anything that was thrown. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ClickHouseUnavailableError) {
    return apiErrors.unavailable('ClickHouse is away; try again.', error);
  }
  if (error instanceof QueueFullError) {
    return apiErrors.unavailable(queueFullDetails[error.queue], error);
  }
  if (error instanceof ClickHouseOverloadedError) {
    return apiErrors.unavailable('ClickHouse is overloaded; try again.', error);
  }
  if (error instanceof QueryTimeoutError) {
    return apiErrors.timedOut('The query ran into its time limit.', error);
  }
  if (error instanceof ResultTooLargeError) {
    const msg = 'The answer would be larger than the limit; ask for less at once';
    return apiErrors.invalid([{ loc: ['body'], msg, type: 'answer_too_large' }]);
  }
  if (error instanceof LimitExceededError) {
    const { message: msg } = error;
    return apiErrors.invalid([{ loc: ['body', 'limit'], msg, type: 'limit_exceeded' }]);
  }
  return toBodyError(error) ?? apiErrors.internal(error);
}

/** What body-parser, zlib and the router throw at requests that are wrong. */
interface LibraryError extends Error {
  readonly type?: string;
  readonly code?: string;
}

function toBodyError(error: unknown): ApiError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { type, code } = error as LibraryError;
  if (type === 'entity.too.large') return apiErrors.tooLarge('The body is larger than the limit.');
  if (type === 'encoding.unsupported') {
    return apiErrors.unsupportedMedia(
      'Only the content encodings gzip, deflate and br are supported.',
    );
  }
  if (type === 'request.aborted' || type === 'request.size.invalid') {
    return apiErrors.invalid([bodyIssue('The body ended early')]);
  }
  if (code !== undefined && /^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ERR_PADDING)/.test(code)) {
    return apiErrors.invalid([bodyIssue('The body is not of its content encoding')]);
  }
  // A path with a broken percent sign names nothing.
  return error instanceof URIError ? apiErrors.notFound() : undefined;
}

function bodyIssue(msg: string): ValidationIssue {
  return { loc: ['body'], msg, type: 'value_error' };
}
