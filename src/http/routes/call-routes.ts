import type { Request, RequestHandler, Response } from 'express';
import { deleteCalls } from '../../ingest/delete-calls.ts';
import type { Part, PartAnswer } from '../../ingest/part.ts';
import type { PartInserter } from '../../ingest/part-inserter.ts';
import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { apiErrors, type ValidationIssue } from '../../errors.ts';
import type {
  CallEndReq,
  CallStartReq,
  CompletedCallSchemaForInsert,
} from '../../openapi-types.ts';
import { requireProjects, requireScope } from '../auth/require-key.ts';
import {
  alignAnswers,
  checkItem,
  type Checked,
  partsOf,
  reportDropped,
  withoutParts,
} from './batch-items.ts';
import { readJsonBody } from '../validation/json-body.ts';
import { bodyReservationOf, reserveBody, takeBody } from './reserve-body.ts';
import type { CountDropped } from '../metrics.ts';
import { freeFormJsonIssues } from '../validation/free-form-json.ts';
import type { OpenApi } from '../validation/openapi.ts';
import type { Route } from './route.ts';
import {
  type Validator,
  type ExtraValidation,
  isRecord,
  type Location,
} from '../validation/validator.ts';

interface CallRouteOptions {
  readonly clickhouse: ClickHouse;
  readonly partInserter: PartInserter;
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
  readonly countDropped: CountDropped;
}

interface Batch {
  readonly batch: readonly unknown[];
}

/** Calls coming in: one by one, in batches, whole; and their deletion. */
export function callRoutes(options: CallRouteOptions): Route[] {
  const { partInserter, openApi } = options;
  const starts = startValidator(openApi);
  const ends = endValidator(openApi);
  const write = (path: string, handler: RequestHandler): Route => ({
    method: 'post',
    path,
    handlers: [
      requireScope('write'),
      reserveBody(options),
      ...readJsonBody(options.bodyLimitBytes),
      handler,
    ],
  });
  return [
    write('/call/start', storeOne(partInserter, starts, toStart)),
    write('/call/end', storeOne(partInserter, ends, toEnd)),
    write('/call/upsert_batch', upsertBatch(options)),
    write('/v2/:entity/:project/call/start', storeOne(partInserter, starts, toStart)),
    write('/v2/:entity/:project/call/end', storeOne(partInserter, ends, toEnd)),
    write('/v2/:entity/:project/calls/complete', storeWholeCalls(options)),
    write('/calls/delete', removeCalls(options)),
  ];
}

type PartOf<K extends Part['kind']> = Extract<Part, { readonly kind: K }>;

const toStart = ({ start }: CallStartReq): PartOf<'start'> => ({ kind: 'start', call: start });
const toEnd = ({ end }: CallEndReq): PartOf<'end'> => ({ kind: 'end', call: end });

function startValidator(openApi: OpenApi): Validator<CallStartReq> {
  return openApi.validatorOf('CallStartReq', under(['start'], freeFormJsonIssues));
}

function endValidator(openApi: OpenApi): Validator<CallEndReq> {
  return openApi.validatorOf('CallEndReq', under(['end'], freeFormJsonIssues));
}

/** A check of what stands further down in a value. */
function under(path: readonly string[], check: ExtraValidation): ExtraValidation {
  return (value, at) => {
    let current: unknown = value;
    for (const name of path) current = isRecord(current) ? current[name] : undefined;
    return check(current, [...at, ...path]);
  };
}

function storeOne<T>(
  partInserter: PartInserter,
  validator: Validator<T>,
  toPart: (value: T) => Part,
): RequestHandler {
  return async (request, response) => {
    const pathProject = projectOfPath(request, response);
    const part = toPart(validator.parse(takeBody(request), ['body']));
    const issues = projectIssues(pathProject, part, ['body', part.kind]);
    if (issues.length > 0) throw apiErrors.invalid(issues);
    requireProjects(response, [projectOf(part)]);
    const [answer] = await partInserter.insert([part], bodyReservationOf(response));
    response.json(answer);
  };
}

function upsertBatch(options: CallRouteOptions): RequestHandler {
  const { openApi } = options;
  const envelope = openApi.envelopeValidatorOf<Batch>('CallCreateBatchReq');
  const check = batchItemCheck(openApi);
  const readItems = (body: unknown): Checked<Part>[] =>
    envelope
      .parse(body, ['body'])
      .batch.map((item, index) => check(item, ['body', 'batch', index]));
  return async (request, response) => {
    const { items, stored } = storeItems(options, readItems(takeBody(request)), response);
    const answers = await stored;
    response.json({ res: alignAnswers(items, answers), ...reportDropped(items) });
  };
}

/** The items of a batch, without their parts, and what is said of those when they are stored. */
interface StoredItems {
  readonly items: readonly Checked<undefined>[];
  readonly stored: Promise<readonly PartAnswer[]>;
}

/**
 * Stores what can be stored of a batch, in one insert. Nothing refers to what was sent while it waits for that:
 * as objects it takes several times the memory of its bytes.
 */
function storeItems(
  { partInserter, countDropped }: CallRouteOptions,
  checked: readonly Checked<Part>[],
  response: Response,
): StoredItems {
  const parts = partsOf(checked);
  requireProjects(response, parts.map(projectOf));
  const items = withoutParts(checked);
  const stored = partInserter.insert(parts, bodyReservationOf(response)).then((answers) => {
    countDropped(response, items);
    return answers;
  });
  return { items, stored };
}

function batchItemCheck(openApi: OpenApi): (item: unknown, at: Location) => Checked<Part> {
  const starts = openApi.validatorOf<{ req: CallStartReq }>(
    'CallBatchStartMode',
    under(['req', 'start'], freeFormJsonIssues),
  );
  const ends = openApi.validatorOf<{ req: CallEndReq }>(
    'CallBatchEndMode',
    under(['req', 'end'], freeFormJsonIssues),
  );
  return (item, at) => {
    const mode = isRecord(item) ? item['mode'] : undefined;
    if (mode === 'start') return checkItem(starts, item, at, ({ req }) => toStart(req));
    if (mode === 'end') return checkItem(ends, item, at, ({ req }) => toEnd(req));
    return { issues: [modeIssue(item, at)] };
  };
}

function modeIssue(item: unknown, at: Location): ValidationIssue {
  if (!isRecord(item)) {
    const msg = 'Input should be a valid dictionary or object to extract fields from';
    return { loc: at, msg, type: 'model_attributes_type' };
  }
  const loc = [...at, 'mode'];
  return item['mode'] === undefined
    ? { loc, msg: 'Field required', type: 'missing' }
    : { loc, msg: "Input should be 'start' or 'end'", type: 'literal_error' };
}

function storeWholeCalls(options: CallRouteOptions): RequestHandler {
  const { openApi } = options;
  const envelope = openApi.envelopeValidatorOf<Batch>('CallsUpsertCompleteReq');
  const calls = openApi.validatorOf<CompletedCallSchemaForInsert>(
    'CompletedCallSchemaForInsert',
    freeFormJsonIssues,
  );
  const readItems = (body: unknown, pathProject: string | undefined): Checked<Part>[] =>
    envelope.parse(body, ['body']).batch.map((item, index) => {
      const at = ['body', 'batch', index];
      const checked = checkItem(calls, item, at, (call) => ({ kind: 'whole' as const, call }));
      if ('issues' in checked) return checked;
      const issues = projectIssues(pathProject, checked.part, at);
      return issues.length > 0 ? { issues } : checked;
    });
  return async (request, response) => {
    const pathProject = projectOfPath(request, response);
    const checked = readItems(takeBody(request), pathProject);
    const { items, stored } = storeItems(options, checked, response);
    await stored;
    response.json(reportDropped(items));
  };
}

/** The project that the path names, if it names one; its key may touch it. */
function projectOfPath(request: Request, response: Response): string | undefined {
  const { entity, project } = request.params;
  if (entity === undefined || project === undefined) return undefined;
  const projectId = `${String(entity)}/${String(project)}`;
  requireProjects(response, [projectId]);
  return projectId;
}

function projectIssues(
  pathProject: string | undefined,
  part: Part,
  at: Location,
): ValidationIssue[] {
  if (pathProject === undefined || projectOf(part) === pathProject) return [];
  const msg = 'Value error, project_id should be the entity and project of the path';
  return [{ loc: [...at, 'project_id'], msg, type: 'value_error' }];
}

function projectOf(part: Part): string {
  return part.call.project_id;
}

interface DeleteRequest {
  readonly project_id: string;
  readonly call_ids: readonly string[];
}

function removeCalls({ clickhouse, openApi }: CallRouteOptions): RequestHandler {
  const validator = openApi.validatorOf<DeleteRequest>('CallsDeleteReq');
  return async (request, response) => {
    const { project_id, call_ids } = validator.parse(request.body, ['body']);
    requireProjects(response, [project_id]);
    response.json({ num_deleted: await deleteCalls(clickhouse, project_id, call_ids) });
  };
}
