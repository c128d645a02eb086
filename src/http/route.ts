import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response, Router } from 'express';
import type { MemoryBudget, Reservation } from '../memory-budget.ts';
import type { Readiness } from '../readiness.ts';
import { apiErrors } from './api-errors.ts';
import type { Key, Scope } from './auth/keys.ts';
import { keyOf, requireProjects, requireScope } from './auth/require-key.ts';
import { type CreateBodyReader, createJsonReader } from './validation/json-body.ts';
import type { Envelope, OpenApi, Schema, SchemaName } from './validation/openapi.ts';
import type { Validator } from './validation/validator.ts';
import { type Location, toIssue, type ValidationIssue } from './validation/issues.ts';

/** One method of one path: a line of the route table. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** The scope that a key must have; `any` accepts every key, `public` needs none. */
  readonly scope: Scope | 'any' | 'public';
  readonly toRequestHandler: (context: RouteContext) => RequestHandler;
}

/** What routes need to read and validate requests. */
export interface RouteContext {
  readonly openApi: OpenApi;
  /** Largest body, after decompression. */
  readonly bodyLimitBytes: number;
  /** Where ingestion routes reserve memory for their bodies. */
  readonly memoryBudget: MemoryBudget;
  readonly readiness: Readiness;
}

/** Arguments of a handler: the body is valid, with defaults filled in, and the key may access its project. */
interface HandlerInput<Body> {
  readonly body: Body;
  readonly key: Key;
  readonly requestId: string;
  /** Sets a header of the answer. */
  readonly setHeader: (name: string, value: string) => void;
  /** Fires when the client disconnects before it has its answer. */
  readonly signal: AbortSignal;
}

export interface IngestInput<Body> extends HandlerInput<Body> {
  /** The project of the path, if the path has one; the key may access it. */
  readonly pathProject: string | undefined;
  /** Memory reserved for the body; released when the request is answered. */
  readonly reservation: Reservation;
}

/** Handles a request of the schema `…Req` and answers with the schema `…Res`. */
export type Handler<Name extends SchemaName> = (
  input: HandlerInput<Schema<Name>>,
) => Answer<Name> | Promise<Answer<Name>>;

export type IngestHandler<Name extends SchemaName> = (
  input: IngestInput<Schema<Name>>,
) => Answer<Name> | Promise<Answer<Name>>;

/** Handles a batch whose items are not validated yet, nor their projects checked against the key. */
export type BatchHandler<Name extends SchemaName> = (
  input: IngestInput<Envelope>,
) => Answer<Name> | Promise<Answer<Name>>;

type Answer<Name extends SchemaName> = ResponseBody<ResponseName<Name>> | JsonText;
type ResponseName<Name extends SchemaName> = Name extends `${infer Base}Req` ? `${Base}Res` : never;
type ResponseBody<Name> = Name extends SchemaName ? Schema<Name> : Record<string, never>;

/** An answer that is JSON text already, since it has integers beyond 2^53 or is sent in chunks. */
export class JsonText {
  readonly text: string | Iterable<string>;

  constructor(text: string | Iterable<string>) {
    this.text = text;
  }
}

/** Where a body has its project id: at the top, or in an object at the top. */
type ProjectField<Body> = {
  [Field in keyof Body & string]: Field extends 'project_id'
    ? Field
    : Body[Field] extends { readonly project_id: string }
      ? `${Field}.project_id`
      : never;
}[keyof Body & string];

/** A route without a request body. */
export function get(path: string, scope: Route['scope'], handler: RequestHandler): Route {
  const handle: RequestHandler = (request, response, next) => {
    if (scope !== 'any' && scope !== 'public') requireScope(keyOf(response), scope);
    return handler(request, response, next);
  };
  return { method: 'get', path, scope, toRequestHandler: () => handle };
}

/** A route whose body has a schema of the OpenAPI documents. */
export function post<Name extends SchemaName>(
  path: string,
  scope: Scope,
  schema: Name,
  projectField: ProjectField<Schema<Name>>,
  handler: Handler<Name>,
  createReader: CreateBodyReader = createJsonReader,
): Route {
  const createValidator = (openApi: OpenApi) => openApi.validatorOf(schema);
  const reserve = (): undefined => undefined;
  return bodyRoute({ path, scope, createValidator, projectField, reserve, handler, createReader });
}

/** The same, with memory reserved for the body until the request is answered. */
export function ingest<Name extends SchemaName>(
  path: string,
  scope: Scope,
  schema: Name,
  projectField: ProjectField<Schema<Name>>,
  handler: IngestHandler<Name>,
): Route {
  const createValidator = (openApi: OpenApi) => openApi.validatorOf(schema);
  const [reserve, createReader] = [reserveBody, createJsonReader];
  return bodyRoute({ path, scope, createValidator, projectField, reserve, handler, createReader });
}

/** The same for a batch, of which only the envelope is validated: items are accepted or dropped one by one. */
export function ingestBatch<Name extends 'CallCreateBatchReq' | 'CallsUpsertCompleteReq'>(
  path: string,
  scope: Scope,
  schema: Name,
  handler: BatchHandler<Name>,
): Route {
  const createValidator = (openApi: OpenApi) => openApi.envelopeValidatorOf(schema);
  const [reserve, createReader] = [reserveBody, createJsonReader];
  const projectField = undefined;
  return bodyRoute({ path, scope, createValidator, projectField, reserve, handler, createReader });
}

interface BodyRoute<Body, MaybeReservation> {
  readonly path: string;
  readonly scope: Scope;
  readonly createValidator: (openApi: OpenApi) => Validator<Body>;
  /** Absent where the handler checks the projects. */
  readonly projectField: string | undefined;
  readonly reserve: (
    context: RouteContext,
    request: Request,
    response: Response,
  ) => MaybeReservation;
  readonly handler: (
    input: Omit<IngestInput<Body>, 'reservation'> & { readonly reservation: MaybeReservation },
  ) => object | Promise<object>;
  readonly createReader: CreateBodyReader;
}

function bodyRoute<Body, MaybeReservation>(route: BodyRoute<Body, MaybeReservation>): Route {
  const { path, scope, projectField, handler } = route;
  const toRequestHandler = (context: RouteContext): RequestHandler => {
    const validator = route.createValidator(context.openApi);
    const readBody = route.createReader(context.bodyLimitBytes);
    // Not async: a suspended function would keep the body in memory until the request is answered.
    const handle = (request: Request, response: Response, reservation: MaybeReservation) => {
      const key = keyOf(response);
      const pathProject = readPathProject(request, key);
      const body = validator.parse(takeBody(request), ['body']);
      if (projectField !== undefined) requireBodyProject(body, projectField, pathProject, key);
      const { requestId } = response.locals;
      const signal = disconnectSignal(response);
      const setHeader = (name: string, value: string): void => void response.set(name, value);
      return handler({ body, key, requestId, setHeader, signal, pathProject, reservation });
    };
    return async (request, response) => {
      requireScope(keyOf(response), scope);
      const reservation = route.reserve(context, request, response);
      await readBody(request, response);
      await send(response, await handle(request, response, reservation));
    };
  };
  return { method: 'post', path, scope, toRequestHandler };
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

/** How many times its compressed size a body is assumed to have. */
const assumedExpansion = 10;

/**
 * Reserves memory for a body before it is read; where the budget is used up, the request is refused unread.
 * A body of unknown length counts only once it is read.
 */
function reserveBody(
  { memoryBudget, bodyLimitBytes }: RouteContext,
  { headers }: Request,
  response: Response,
): Reservation {
  const sentBytes = Number(headers['content-length'] ?? 0);
  const isCompressed = (headers['content-encoding'] ?? 'identity') !== 'identity';
  const bytes = isCompressed ? sentBytes * assumedExpansion : sentBytes;
  const reservation = memoryBudget.open(keyOf(response).name, 'ingest');
  reservation.resize(Math.min(bytes, bodyLimitBytes));
  response.once('close', () => {
    reservation.release();
  });
  return reservation;
}

/** Returns the body of a request and removes it from there, so that it can be collected. */
function takeBody(request: Request): unknown {
  const body: unknown = request.body;
  request.body = undefined;
  return body;
}

/** @throws {ApiError} 403 when the key may not access the project that the path names */
function readPathProject({ params }: Request, key: Key): string | undefined {
  const { entity, project } = params;
  if (entity === undefined || project === undefined) return undefined;
  const pathProject = `${String(entity)}/${String(project)}`;
  requireProjects(key, [pathProject]);
  return pathProject;
}

function requireBodyProject(
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

/** Adds routes to a router; other methods of their paths are answered with 405 and `Allow`. */
export function addRoutes(router: Router, routes: readonly Route[], context: RouteContext): void {
  for (const { method, path, scope, toRequestHandler } of routes) {
    if (scope === 'read') router[method](path, refuseReads(context));
    router[method](path, toRequestHandler(context));
    router.all(path, () => {
      throw apiErrors.methodNotAllowed(method === 'get' ? ['GET', 'HEAD'] : ['POST']);
    });
  }
}

/** @throws {NotReadyError} an answer would be too small, because tables are damaged or incomplete */
function refuseReads({ readiness }: RouteContext): RequestHandler {
  return (_request, _response, next) => {
    readiness.requireReads();
    next();
  };
}

async function send(response: Response, answer: object): Promise<void> {
  if (!(answer instanceof JsonText)) response.json(answer);
  else if (typeof answer.text === 'string') response.type('json').send(answer.text);
  else await pipeline(Readable.from(answer.text), response.type('json'));
}
