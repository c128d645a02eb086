import type { RequestHandler, Router } from 'express';
import { apiErrors } from '../../errors.ts';

/** One method of one path. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly handlers: readonly RequestHandler[];
}

/** Adds routes to a router; other methods of their paths get 405 with `Allow`. */
export function addRoutes(router: Router, routes: readonly Route[]): void {
  for (const { method, path, handlers } of routes) {
    router[method](path, ...handlers);
    router.all(path, () => {
      throw apiErrors.methodNotAllowed(method === 'get' ? ['GET', 'HEAD'] : ['POST']);
    });
  }
}
