/** Parts of calls as requests of the endpoints that take them in. */
import type { Part } from './plan-forest.ts';
import { toObject, type JsonObject } from '../json.ts';

export interface PartRequest {
  readonly path: string;
  readonly body: JsonObject;
}

/** Starts and ends as one batch, whole calls as one batch for each project. */
export function toBatches(parts: readonly Part[]): PartRequest[] {
  const batch = parts
    .filter(({ kind }) => kind !== 'whole')
    .map(({ kind, part }) => toObject({ mode: kind, req: { [kind]: part } }));
  const requests =
    batch.length === 0 ? [] : [{ path: '/call/upsert_batch', body: toObject({ batch }) }];
  const whole = parts.filter(({ kind }) => kind === 'whole').map(({ part }) => part);
  for (const project of new Set(whole.map(projectOf))) {
    const items = whole.filter((part) => projectOf(part) === project);
    requests.push({ path: `${v2(project)}/calls/complete`, body: toObject({ batch: items }) });
  }
  return requests;
}

/** A part by itself; a whole call can only go as a batch of one. */
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
