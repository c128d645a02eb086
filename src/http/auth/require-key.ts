import basicAuth, { type IBasicAuthedRequest } from 'express-basic-auth';
import type { RequestHandler, Response } from 'express';
import { apiErrors } from '../api-errors.ts';
import { coversProject, findKey, type Key, type Scope } from './keys.ts';

/** Lets only requests with a key pass; the password is the key, the user name is ignored. */
export function requireKey(keys: readonly Key[]): RequestHandler[] {
  const authenticate = basicAuth({
    authorizer: (_user: string, password: string) => findKey(keys, password) !== undefined,
    unauthorizedResponse: () => {
      throw apiErrors.notAuthenticated();
    },
  });
  const remember: RequestHandler = (request, response, next) => {
    const key = findKey(keys, (request as IBasicAuthedRequest).auth.password);
    if (key === undefined) throw apiErrors.notAuthenticated();
    response.locals.key = key;
    next();
  };
  return [authenticate, remember];
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

/** The key of an authenticated request. */
export function keyOf(response: Response): Key {
  const { key } = response.locals;
  if (key === undefined) throw apiErrors.notAuthenticated();
  return key;
}
