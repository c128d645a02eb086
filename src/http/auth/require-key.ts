import basicAuth, { type IBasicAuthedRequest } from 'express-basic-auth';
import type { RequestHandler, Response } from 'express';
import { apiErrors } from '../../errors.ts';
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

/** Lets only keys with a right pass. */
export function requireScope(scope: Scope): RequestHandler {
  return (_request, response, next) => {
    if (!keyOf(response).rights.includes(scope)) {
      throw apiErrors.forbidden(`This key does not have the right "${scope}".`);
    }
    next();
  };
}

/** @throws {ApiError} 403 unless the request's key may touch every one of these projects */
export function requireProjects(response: Response, projectIds: Iterable<string>): void {
  const key = keyOf(response);
  for (const projectId of new Set(projectIds)) {
    if (!coversProject(key, projectId)) {
      throw apiErrors.forbidden(`This key may not touch the project ${JSON.stringify(projectId)}.`);
    }
  }
}

/** The key of an authenticated request. */
export function keyOf(response: Response): Key {
  const { key } = response.locals;
  if (key === undefined) throw apiErrors.notAuthenticated();
  return key;
}
