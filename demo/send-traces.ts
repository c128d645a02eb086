import type { CostCreateInput } from '../src/openapi-types.ts';
import { post, type Access } from './client.ts';
import { listCalls, type SampleCall, type SampleTrace } from './sample-call.ts';

/** Few enough that the start and the end of a call are mostly sent in different requests, as SDKs do. */
const partsPerBatch = 8;
const completeCallsPerBatch = 250;

/** Sends a trace with the endpoints that it names; returns the number of requests. */
export function sendTrace(access: Access, projectId: string, trace: SampleTrace): Promise<number> {
  const calls = listCalls(trace.root);
  switch (trace.delivery) {
    case 'batches':
      return sendPartsInBatches(access, calls);
    case 'complete':
      return sendCompleteCalls(access, projectId, calls);
    case 'single':
      return sendSingleParts(access, calls);
  }
}

/** Sends starts and ends as separate items, in the order in which they happened. */
async function sendPartsInBatches(access: Access, calls: readonly SampleCall[]): Promise<number> {
  const parts = calls.flatMap(({ start, end }) => [
    { at: start.started_at, item: { mode: 'start', req: { start } } },
    ...(end === undefined ? [] : [{ at: end.ended_at, item: { mode: 'end', req: { end } } }]),
  ]);
  parts.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const batches = toBatches(parts, partsPerBatch);
  for (const batch of batches) {
    await post(access, '/call/upsert_batch', { batch: batch.map(({ item }) => item) });
  }
  return batches.length;
}

/** Sends calls that have ended; returns the number of requests. */
export async function sendCompleteCalls(
  access: Access,
  projectId: string,
  calls: readonly SampleCall[],
): Promise<number> {
  const completeCalls = calls.map(({ start, end }) => ({ ...start, ...end }));
  const batches = toBatches(completeCalls, completeCallsPerBatch);
  for (const batch of batches) await post(access, `/v2/${projectId}/calls/complete`, { batch });
  return batches.length;
}

async function sendSingleParts(access: Access, calls: readonly SampleCall[]): Promise<number> {
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

/** Sets prices of the project. */
export async function createPrices(
  access: Access,
  projectId: string,
  costs: Readonly<Record<string, CostCreateInput>>,
): Promise<void> {
  await post(access, '/cost/create', { project_id: projectId, costs });
}
