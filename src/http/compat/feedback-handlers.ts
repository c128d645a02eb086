import { randomUUID } from 'node:crypto';
import type { Handler } from '../route.ts';

/** Accepts feedback about a call, such as a score, and answers as Weave does; nothing is stored. */
export const createFeedback: Handler<'FeedbackCreateReq'> = ({ body: { payload } }) => ({
  id: randomUUID(),
  created_at: new Date().toISOString(),
  wb_user_id: '',
  payload,
});

/** Accepts a new display name for a call; it is not stored. */
export const updateCall: Handler<'CallUpdateReq'> = () => ({});
