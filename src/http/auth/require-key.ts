import basicAuth, { type IBasicAuthedRequest } from 'express-basic-auth';
import type { RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import { apiErrors } from '../api-errors.ts';
import { coversProject, findKey, type Key, type Scope } from './keys.ts';

/** Refuses requests without a valid key. The key is the password; the user name is ignored. */
export function requireKey(keys: readonly Key[]): RequestHandler[] {
  const authenticate = basicAuth({
    authorizer: (_user: string, password: string) => findKey(keys, password) !== undefined,
    unauthorizedResponse: () => {
      throw apiErrors.notAuthenticated();
    },
  });
  const recordKey: RequestHandler = (request, response, next) => {
    const key = findKey(keys, (request as IBasicAuthedRequest).auth.password);
    if (key === undefined) throw apiErrors.notAuthenticated();
    response.locals.key = key;
    next();
  };
  return [authenticate, recordKey];
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
