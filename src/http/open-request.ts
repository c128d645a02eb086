import type { Request, Response } from 'express';
import type { MemoryBudget, Reservation, RouteClass } from '../memory-budget.ts';
import { apiErrors } from './api-errors.ts';
import type { Key, Scope } from './auth/keys.ts';
import { keyOf, requireProjects, requireScope } from './auth/require-key.ts';
import { type Location, toIssue, type ValidationIssue } from './validation/issues.ts';

/** Checks the key, and opens the reservation, which is released when the request is answered. */
export function openRequest(
  request: Request,
  response: Response,
  scope: Scope | 'any',
  routeClass: RouteClass,
  memoryBudget: MemoryBudget,
): RequestInput {
  const key = keyOf(response);
  if (scope !== 'any') requireScope(key, scope);
  const pathProject = readPathProject(request, key);
  const reservation = memoryBudget.open(key.name, routeClass);
  const answerReservation = reservation.open('response');
  response.once('close', () => {
    reservation.release();
    answerReservation.release();
  });
  const { requestId } = response.locals;
  const setHeader = (name: string, value: string): void => void response.set(name, value);
  const signal = disconnectSignal(response);
  return { key, requestId, setHeader, signal, pathProject, reservation, answerReservation };
}

/** A request whose key has the scope and may access the project of the path. */
export interface RequestInput {
  readonly key: Key;
  readonly requestId: string;
  /** Sets a header of the answer. */
  readonly setHeader: (name: string, value: string) => void;
  /** Memory of the answer, in addition to that of the body; released when the answer is sent. */
  readonly answerReservation: Reservation;
  /** Fires when the client disconnects before it has its answer. */
  readonly signal: AbortSignal;
  /** The project of the path, if the path has one. */
  readonly pathProject: string | undefined;
  /** Memory of the body; released when the request is answered. */
  readonly reservation: Reservation;
}

/** A signal that fires when the client disconnects before it has its answer. */
export function disconnectSignal(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  if (response.destroyed) controller.abort();
  return controller.signal;
}

/** @throws {ApiError} 403 when the key may not access the project that the path names */
function readPathProject({ params }: Request, key: Key): string | undefined {
  const { entity, project } = params;
  if (entity === undefined || project === undefined) return undefined;
  const pathProject = `${String(entity)}/${String(project)}`;
  requireProjects(key, [pathProject]);
  return pathProject;
}

/** @throws {ApiError} 422 when a body names another project than its path, 403 when the key may not access it */
export function requireBodyProject(
  body: unknown,
  projectField: string,
  pathProject: string | undefined,
  key: Key,
): void {
  const path = projectField.split('.');
  const project = path.reduce((value, name) => (value as Record<string, unknown>)[name], body);
  const issues = pathProjectIssues(pathProject, project as string, ['body', ...path]);
  if (issues.length > 0) throw apiErrors.invalid(issues);
  requireProjects(key, [project as string]);
}

/** The issue of a part whose project is not the one of the path. */
export function pathProjectIssues(
  pathProject: string | undefined,
  projectId: string,
  loc: Location,
): ValidationIssue[] {
  if (pathProject === undefined || projectId === pathProject) return [];
  return [toIssue('value_error', loc, 'pathProject')];
}
