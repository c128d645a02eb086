import type { Handler } from '../route.ts';
import { digestJson } from './weave-digest.ts';

/** Answers the digest of an object; the object is not stored. */
export const createObject: Handler<'ObjCreateReq'> = ({ body: { obj } }) => ({
  digest: digestJson(obj.val),
  object_id: obj.object_id,
});
