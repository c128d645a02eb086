import basicAuth, { type IBasicAuthedRequest } from 'express-basic-auth';
import type { Request, RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import { apiErrors } from '../api-errors.ts';
import { FailureLimit } from './failure-limit.ts';
import { coversProject, findKey, type Key, type Scope } from './keys.ts';

/**
 * Refuses requests without a valid key: the password of HTTP Basic, whose user name is ignored, or a bearer token. Where
 * there is no `authorization`, the header `wandb-api-key` may have the key, as exporters for W&B send it.
 * @param getKeys the keys at the time of a request, since they can be replaced while the service runs
 * @param maxFailuresPerMinute wrong keys of one remote address, before 429 instead of 401; 0 for no limit
 */
export function requireKey(
  getKeys: () => readonly Key[],
  maxFailuresPerMinute: number,
): RequestHandler {
  const failures = new FailureLimit(maxFailuresPerMinute);
  const parseBasic = basicAuth({
    authorizer: () => true,
    unauthorizedResponse: (request: Request) => refuse(request, failures),
  });
  return (request, response, next) => {
    const authenticate = (password: string): void => {
      response.locals.key = findKey(getKeys(), password) ?? refuse(request, failures);
      next();
    };
    const { authorization } = request.headers;
    const token =
      authorization === undefined
        ? request.get('wandb-api-key')
        : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (token !== undefined) authenticate(token);
    else
      parseBasic(request, response, () =>
        authenticate((request as IBasicAuthedRequest).auth.password),
      );
  };
}

/** A browser that has no key yet sends no credentials; only wrong ones are counted. */
function refuse({ headers, socket }: Request, failures: FailureLimit): never {
  const isAnonymous = headers.authorization === undefined && headers['wandb-api-key'] === undefined;
  const waitS = isAnonymous ? 0 : failures.count(socket.remoteAddress);
  if (waitS === 0) throw apiErrors.notAuthenticated();
  throw apiErrors.tooManyRequests('Too many wrong API keys were sent from this address.', waitS);
}

/** @throws {ApiError} 403 when the key does not have the scope */
export function requireScope(key: Key, scope: Scope): void {
  if (key.scopes.includes(scope)) return;
  throw apiErrors.forbidden(`This key does not have the scope "${scope}".`);
}

/** @throws {ApiError} 403 when the key may not access one of the projects */
export function requireProjects(key: Key, projectIds: Iterable<string>): void {
  for (const projectId of new Set(projectIds)) {
    if (coversProject(key, projectId)) continue;
    throw apiErrors.forbidden(`This key may not access the project ${JSON.stringify(projectId)}.`);
  }
}

/** Limits the requests of each key per second, within this process; 0 is no limit. */
export function limitRate(rateLimitPerSecond: number): RequestHandler[] {
  if (rateLimitPerSecond === 0) return [];
  const limit = rateLimit({
    windowMs: 1_000,
    limit: rateLimitPerSecond,
    keyGenerator: (_request, response) => keyOf(response).sha256.toString('hex'),
    standardHeaders: false,
    legacyHeaders: false,
    handler: () => {
      throw apiErrors.tooManyRequests(
        `This key may send ${rateLimitPerSecond} requests a second; try again.`,
      );
    },
  });
  return [limit];
}

/** The key of an authenticated request. */
export function keyOf(response: Response): Key {
  const { key } = response.locals;
  if (key === undefined) throw apiErrors.notAuthenticated();
  return key;
}
