/** Parts of calls as requests to the ingestion endpoints. */
import type { Part } from './plan-forest.ts';
import { toObject, type JsonObject } from '../json.ts';

export interface PartRequest {
  readonly path: string;
  readonly body: JsonObject;
}

/** Starts and ends as one batch, complete calls as one batch per project. */
export function toBatches(parts: readonly Part[]): PartRequest[] {
  const batch = parts
    .filter(({ kind }) => kind !== 'whole')
    .map(({ kind, part }) => toObject({ mode: kind, req: { [kind]: part } }));
  const requests =
    batch.length === 0 ? [] : [{ path: '/call/upsert_batch', body: toObject({ batch }) }];
  const complete = parts.filter(({ kind }) => kind === 'whole').map(({ part }) => part);
  for (const project of new Set(complete.map(projectOf))) {
    const items = complete.filter((part) => projectOf(part) === project);
    requests.push({ path: `${v2(project)}/calls/complete`, body: toObject({ batch: items }) });
  }
  return requests;
}

/** A request with one part. A complete call is sent as a batch of one, because there is no other endpoint for it. */
export function toSingle(single: Part, isV2: boolean): PartRequest {
  const { kind, part } = single;
  const path = `${isV2 ? v2(projectOf(part)) : ''}/call/${kind}`;
  return kind === 'whole' ? toBatches([single])[0]! : { path, body: new Map([[kind, part]]) };
}

function projectOf(part: JsonObject): string {
  return part.get('project_id') as string;
}

function v2(project: string): string {
  return `/v2/${project.split('/').map(encodeURIComponent).join('/')}`;
}
