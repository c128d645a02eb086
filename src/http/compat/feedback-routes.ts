import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { requireProjects, requireScope } from '../auth/require-key.ts';
import { readJsonBody } from '../validation/json-body.ts';
import { freeFormJsonIssues } from '../validation/free-form-json.ts';
import type { OpenApi } from '../validation/openapi.ts';
import type { Route } from '../routes/route.ts';

interface NoteRouteOptions {
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
}

/** What SDKs send about calls when these are over, feedback and new names: taken, not stored. */
export function noteRoutes({ openApi, bodyLimitBytes }: NoteRouteOptions): Route[] {
  const write = (path: string, handler: RequestHandler): Route => ({
    method: 'post',
    path,
    handlers: [requireScope('write'), ...readJsonBody(bodyLimitBytes), handler],
  });
  return [
    write('/feedback/create', takeFeedback(openApi)),
    write('/call/update', takeName(openApi)),
  ];
}

interface FeedbackRequest {
  readonly project_id: string;
  readonly payload: object;
}

function takeFeedback(openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<FeedbackRequest>('FeedbackCreateReq', freeFormJsonIssues);
  return (request, response) => {
    const { project_id, payload } = validator.parse(request.body, ['body']);
    requireProjects(response, [project_id]);
    const created_at = new Date().toISOString();
    response.json({ id: randomUUID(), created_at, wb_user_id: '', payload });
  };
}

interface CallUpdateRequest {
  readonly project_id: string;
}

function takeName(openApi: OpenApi): RequestHandler {
  const validator = openApi.validatorOf<CallUpdateRequest>('CallUpdateReq');
  return (request, response) => {
    const { project_id } = validator.parse(request.body, ['body']);
    requireProjects(response, [project_id]);
    response.json({});
  };
}
