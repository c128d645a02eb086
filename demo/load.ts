import type { CostCreateInput } from '../src/prices/create-costs.ts';
import { post, type Access } from './client.ts';
import { listCalls, type SampleCall, type SampleTrace } from './sample-trace.ts';

/** Few enough that start and end of one call mostly go out in different requests, as they do in life. */
const partsPerBatch = 8;
const wholeCallsPerBatch = 250;

/** Sets prices of a project. */
export async function loadPrices(
  access: Access,
  projectId: string,
  costs: Readonly<Record<string, CostCreateInput>>,
): Promise<void> {
  await post(access, '/cost/create', { project_id: projectId, costs });
}

/** Sends a trace the way it asks for; returns how many requests that took. */
export function loadTrace(access: Access, projectId: string, trace: SampleTrace): Promise<number> {
  const calls = listCalls(trace.root);
  switch (trace.delivery) {
    case 'batches':
      return sendParts(access, calls);
    case 'whole':
      return sendWhole(access, projectId, calls);
    case 'singly':
      return sendSingly(access, calls);
  }
}

/** Starts and ends apart, in the order in which they happened. */
async function sendParts(access: Access, calls: readonly SampleCall[]): Promise<number> {
  const parts = calls.flatMap(({ start, end }) => [
    { at: start.started_at, item: { mode: 'start', req: { start } } },
    ...(end === undefined ? [] : [{ at: end.ended_at, item: { mode: 'end', req: { end } } }]),
  ]);
  parts.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  const batches = toBatches(parts, partsPerBatch);
  for (const batch of batches) {
    await post(access, '/call/upsert_batch', { batch: batch.map(({ item }) => item) });
  }
  return batches.length;
}

async function sendWhole(
  access: Access,
  projectId: string,
  calls: readonly SampleCall[],
): Promise<number> {
  const wholeCalls = calls.map(({ start, end }) => ({ ...start, ...end }));
  const batches = toBatches(wholeCalls, wholeCallsPerBatch);
  for (const batch of batches) await post(access, `/v2/${projectId}/calls/complete`, { batch });
  return batches.length;
}

async function sendSingly(access: Access, calls: readonly SampleCall[]): Promise<number> {
  for (const { start } of calls) await post(access, '/call/start', { start });
  const ends = calls.flatMap(({ end }) => (end === undefined ? [] : [end]));
  for (const end of ends) await post(access, '/call/end', { end });
  return calls.length + ends.length;
}

function toBatches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
