import type { Request, RequestHandler, Response, Router } from 'express';
import type { MemoryBudget, Reservation, RouteClass } from '../memory-budget.ts';
import type { Readiness } from '../readiness.ts';
import { apiErrors } from './api-errors.ts';
import type { Scope } from './auth/keys.ts';
import { keyOf, requireScope } from './auth/require-key.ts';
import { eventLoopShare } from './body/event-loop-share.ts';
import {
  type JsonBody,
  type JsonItems,
  readJsonBody,
  requireContentType,
} from './body/json-body.ts';
import type { JsonLimits, JsonRule } from './body/json-copier.ts';
import { itemRule, partRule } from './body/part-rule.ts';
import { openRequest, requireBodyProject, type RequestInput } from './open-request.ts';
import { type JsonLines, type JsonText, sendAnswer } from './send-answer.ts';
import type { OpenApi, Schema, SchemaName } from './validation/openapi.ts';

/** One method of one path: a line of the route table. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** The scope that a key must have; `any` accepts every key, `public` needs none. */
  readonly scope: Scope | 'any' | 'public';
  readonly toRequestHandler: (context: RouteContext) => RequestHandler;
}

/** The limits of a body by the class of its route. */
export interface BodyLimits {
  readonly ingest: BodyLimit;
  readonly query: BodyLimit;
  readonly stub: BodyLimit;
}

interface BodyLimit {
  /** Largest body, after decompression. */
  readonly maxBytes: number;
  /** Limits of the JSON that is built at once: a document, or an item of a batch. */
  readonly json: JsonLimits;
}

/** What routes need to read and validate requests. */
export interface RouteContext {
  readonly openApi: OpenApi;
  readonly bodyLimits: BodyLimits;
  readonly memoryBudget: MemoryBudget;
  /** Spans of one request at most. */
  readonly maxSpans: number;
  /** Whether inputs and outputs are stored. */
  readonly keepPayloads: boolean;
  readonly readiness: Readiness;
}

/** Arguments of a handler: the body is valid, with defaults filled in, and the key may access its project. */
interface HandlerInput<Body> extends RequestInput {
  readonly body: Body;
}

interface IngestInput<Body> extends HandlerInput<Body> {
  /** Members that were left out of the body and are stored as they were sent. */
  readonly payloads: ReadonlyMap<string, Buffer>;
}

/** Handles a request of the schema `…Req` and answers with the schema `…Res`. */
export type Handler<Name extends SchemaName> = (
  input: HandlerInput<Schema<Name>>,
) => Answer<Name> | Promise<Answer<Name>>;

export type IngestHandler<Name extends SchemaName> = (
  input: IngestInput<Schema<Name>>,
) => Answer<Name> | Promise<Answer<Name>>;

/** Opens what gets the items of a batch, none of which is validated, and inserts them when the body was read. */
export type OpenBatch<Name extends SchemaName> = (input: RequestInput) => {
  readonly items: JsonItems;
  readonly insert: () => Promise<Answer<Name>>;
};

type Answer<Name extends SchemaName> = ResponseBody<ResponseName<Name>> | JsonText | JsonLines;
type ResponseName<Name extends SchemaName> = Name extends `${infer Base}Req` ? `${Base}Res` : never;
type ResponseBody<Name> = Name extends SchemaName ? Schema<Name> : Record<string, never>;

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

/** A route whose body has a schema of the OpenAPI documents and is small. */
export function post<Name extends SchemaName>(
  path: string,
  scope: Scope,
  schema: Name,
  projectField: ProjectField<Schema<Name>>,
  handler: Handler<Name>,
): Route {
  const readBody = createJsonReader('query', {});
  return bodyRoute({ path, scope, routeClass: 'query', schema, projectField, handler, readBody });
}

/**
 * The same route, which refuses a body without a content type. The routes that the Python SDK uses read such a body as
 * JSON, since the SDK sends no content type.
 */
export function withContentType(route: Route): Route {
  const toRequestHandler = (context: RouteContext): RequestHandler => {
    const handle = route.toRequestHandler(context);
    return (request, response, next) => {
      requireContentType(request);
      return handle(request, response, next);
    };
  };
  return { ...route, toRequestHandler };
}

/** A route that SDKs need, of which nothing is stored. */
export function stub<Name extends SchemaName>(
  path: string,
  schema: Name,
  projectField: ProjectField<Schema<Name>>,
  handler: Handler<Name>,
  readBody: ReadBody = createJsonReader('stub', {}),
): Route {
  const scope = 'write';
  return bodyRoute({ path, scope, routeClass: 'stub', schema, projectField, handler, readBody });
}

/** A route that SDKs need whose body has no project id; the handler checks the projects that the body names. */
export function stubOfProjects<Name extends SchemaName>(
  path: string,
  scope: Scope | 'any',
  schema: Name,
  handler: Handler<Name>,
): Route {
  const readBody = createJsonReader('stub', {});
  const projectField = undefined;
  return bodyRoute({ path, scope, routeClass: 'stub', schema, projectField, handler, readBody });
}

/**
 * A route that SDKs need, of which nothing is stored, whose body has items that are handled one by one as they arrive.
 * They are as large as the items of batches at most.
 */
export function stubWithItems<Name extends SchemaName>(
  path: string,
  schema: Name,
  projectField: ProjectField<Schema<Name>>,
  rule: JsonRule,
  newItems: () => JsonItems & { readonly toAnswer: () => Answer<Name> },
): Route {
  const toRequestHandler = (context: RouteContext): RequestHandler => {
    const validator = context.openApi.validatorOf(schema);
    const { bodyLimits, memoryBudget } = context;
    const options = { maxBytes: bodyLimits.stub.maxBytes, limits: bodyLimits.ingest.json, rule };
    return async (request, response) => {
      const input = openRequest(request, response, 'write', 'stub', memoryBudget);
      const { reservation, pathProject, key } = input;
      const items = newItems();
      const { value } = await readJsonBody(request, { ...options, reservation, items });
      const body = validator.parse(value, ['body']);
      requireBodyProject(body, projectField, pathProject, key);
      await sendAnswer(response, items.toAnswer(), input.answerReservation);
    };
  };
  return { method: 'post', path, scope: 'write', toRequestHandler };
}

/** A route that inserts one part. */
export function ingest<Name extends 'CallStartReq' | 'CallEndReq'>(
  path: string,
  schema: Name,
  projectField: ProjectField<Schema<Name>>,
  handler: IngestHandler<Name>,
): Route {
  const toRule = ({ keepPayloads }: RouteContext): JsonRule => partRule(keepPayloads);
  const readBody = createJsonReader('ingest', toRule);
  const scope = 'write';
  return bodyRoute({ path, scope, routeClass: 'ingest', schema, projectField, handler, readBody });
}

/** A route that inserts a batch, whose items are accepted or dropped one by one as they arrive. */
export function ingestBatch<Name extends 'CallCreateBatchReq' | 'CallsUpsertCompleteReq'>(
  path: string,
  schema: Name,
  openBatch: OpenBatch<Name>,
): Route {
  const toRequestHandler = (context: RouteContext): RequestHandler => {
    const { bodyLimits, keepPayloads } = context;
    const validator = context.openApi.envelopeValidatorOf(schema);
    const rule = { members: { batch: { items: itemRule(keepPayloads) } } };
    const { maxBytes, json: limits } = bodyLimits.ingest;
    return async (request, response) => {
      const input = openRequest(request, response, 'write', 'ingest', context.memoryBudget);
      const { reservation } = input;
      const { items, insert } = openBatch(input);
      const options = { maxBytes, limits, rule, reservation, items };
      validator.parse((await readJsonBody(request, options)).value, ['body']);
      await sendAnswer(response, await insert(), input.answerReservation);
    };
  };
  return { method: 'post', path, scope: 'write', toRequestHandler };
}

interface BodyRoute<Name extends SchemaName> {
  readonly path: string;
  readonly scope: Scope | 'any';
  readonly routeClass: RouteClass;
  readonly schema: Name;
  /** Undefined when the handler checks the projects of the body. */
  readonly projectField: string | undefined;
  readonly readBody: ReadBody;
  readonly handler: IngestHandler<Name>;
}

/** Reads a body; `reservation` grows and shrinks with what is held of it. */
export type ReadBody = (
  request: Request,
  response: Response,
  reservation: Reservation,
  context: RouteContext,
) => Promise<JsonBody>;

function createJsonReader(
  routeClass: keyof BodyLimits,
  rule: JsonRule | ((context: RouteContext) => JsonRule),
): ReadBody {
  return (request, _response, reservation, context) => {
    const { maxBytes, json: limits } = context.bodyLimits[routeClass];
    const jsonRule = typeof rule === 'function' ? rule(context) : rule;
    return readJsonBody(request, { maxBytes, limits, rule: jsonRule, reservation });
  };
}

function bodyRoute<Name extends SchemaName>(route: BodyRoute<Name>): Route {
  const { path, scope, routeClass, projectField, readBody, handler } = route;
  const toRequestHandler = (context: RouteContext): RequestHandler => {
    const validator = context.openApi.validatorOf(route.schema);
    const handle = (input: RequestInput, { value, raw }: JsonBody) => {
      const body = validator.parse(value, ['body']);
      if (projectField !== undefined) {
        requireBodyProject(body, projectField, input.pathProject, input.key);
      }
      return handler({ ...input, body, payloads: raw });
    };
    return async (request, response) => {
      const input = openRequest(request, response, scope, routeClass, context.memoryBudget);
      // Not awaited by itself: this function would keep the body in memory until the request is answered.
      const answer = readBody(request, response, input.reservation, context).then((body) =>
        eventLoopShare.run(() => handle(input, body)),
      );
      await sendAnswer(response, await answer, input.answerReservation);
    };
  };
  return { method: 'post', path, scope, toRequestHandler };
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
