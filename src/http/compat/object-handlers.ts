import type { Handler } from '../route.ts';
import { digestJson } from './weave-digest.ts';

/** Answers the digest of an object; the object is not stored. */
export const createObject: Handler<'ObjCreateReq'> = async ({ body: { obj } }) => ({
  digest: await digestJson(obj.val),
  object_id: obj.object_id,
});
