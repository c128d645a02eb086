import { randomUUID } from 'node:crypto';
import { requireProjects } from '../auth/require-key.ts';
import type { Handler } from '../route.ts';
import type { Schema } from '../validation/openapi.ts';

/** Accepts feedback about a call, such as a score, and answers as Weave does; nothing is stored. */
export const createFeedback: Handler<'FeedbackCreateReq'> = ({ body }) => toAnswer(body);

/** Accepts the scores that the Python SDK collects for a second; nothing is stored. */
export const createFeedbackBatch: Handler<'FeedbackCreateBatchReq'> = ({
  body: { batch },
  key,
}) => {
  const projectIds = batch.map(({ project_id }) => project_id);
  requireProjects(key, projectIds);
  return { res: batch.map(toAnswer) };
};

/** The id is the one that the SDK has given its caller already, if it made one. */
function toAnswer({ id, payload }: Schema<'FeedbackCreateReq'>): Schema<'FeedbackCreateRes'> {
  return {
    id: id ?? randomUUID(),
    created_at: new Date().toISOString(),
    wb_user_id: '',
    payload,
  };
}

/** Accepts a new display name for a call; it is not stored. */
export const updateCall: Handler<'CallUpdateReq'> = () => ({});
