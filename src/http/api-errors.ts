import type { ValidationIssue } from './validation/issues.ts';

/** A response other than 2xx; the error middleware sends it. Domain errors are mapped to one in `errors.ts`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly detail: string | readonly ValidationIssue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string | readonly ValidationIssue[],
    headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(
      typeof detail === 'string' ? detail : detail.map((issue) => issue.msg).join('; '),
      options,
    );
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }
}

/** Value of `Retry-After`, in seconds. */
const retryAfterS = 1;

/** The catalogue of errors. A test compares it with docs/api.md. */
export const apiErrors = {
  badRequest: (detail: string) => new ApiError(400, detail),
  notAuthenticated: () =>
    new ApiError(401, 'Not authenticated', { 'www-authenticate': 'Basic realm="calls-usage"' }),
  forbidden: (detail: string) => new ApiError(403, detail),
  notFound: () => new ApiError(404, 'Not Found'),
  methodNotAllowed: (allow: readonly string[]) =>
    new ApiError(405, 'Method Not Allowed', { allow: allow.join(', ') }),
  tooLarge: (detail: string) => new ApiError(413, detail),
  unsupportedMedia: (detail: string) => new ApiError(415, detail),
  expectationFailed: (detail: string) => new ApiError(417, detail),
  invalid: (issues: readonly ValidationIssue[]) => new ApiError(422, issues),
  tooManyRequests: (detail: string, waitS: number = retryAfterS) =>
    new ApiError(429, detail, { 'retry-after': String(waitS) }),
  internal: (cause: unknown) => new ApiError(500, 'Internal Server Error', {}, { cause }),
  unavailable: (detail: string, cause?: unknown) =>
    new ApiError(503, detail, { 'retry-after': String(retryAfterS) }, { cause }),
  timedOut: (detail: string, cause?: unknown) => new ApiError(504, detail, {}, { cause }),
} as const;
