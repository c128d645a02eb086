/** Makes calls and reads them back in each way that the SDK has. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgent, smallModel } from './agent.ts';
import { startProgram } from './start-program.ts';

const context = await startProgram();
const { client, recorder } = context;
const { requestChat } = createAgent(context);

const lookUp = recorder.op('look_up', async () => {
  await requestChat(smallModel, { prompt: 100, completion: 10 });
});

const read = recorder.op('read', async (count: number) => {
  for (let n = 0; n < count; n += 1) await lookUp();
});

await read(2);
await read(1);
const roots = recorder.calls.filter(({ name }) => name === 'read').map(({ id }) => id);

const filter = { trace_roots_only: true, call_ids: roots };
// The SDK sends calls in the background and has no way to wait for them.
for (let ended = 0; ended < roots.length;) {
  await sleep(50);
  const calls = await client.getCalls(filter);
  ended = calls.filter(({ ended_at }) => ended_at !== null).length;
}
const listed = await client.getCalls(filter);
assert.deepEqual(
  listed.map(({ id }) => id),
  roots,
);
const call = await client.getCall(roots[0] ?? '');
assert.equal(toWeave(call.summary).status, 'success');
const children = await client.getCalls({ parent_ids: [roots[0] ?? ''] }, true);
assert.equal(children.length, 2);
const [request] = await client.getCalls({ parent_ids: [children[0]?.id ?? ''] }, true);
const costs = toWeave(request?.summary).costs?.['gpt-small-2026-11-01'];
assert.deepEqual(
  [costs?.['prompt_tokens'], costs?.['completion_tokens'], costs?.['requests']],
  [100, 10, 1],
);
assert.deepEqual(
  [costs?.['prompt_tokens_total_cost'], costs?.['completion_tokens_total_cost']],
  [(100 * 150) / 1e9, (10 * 601) / 1e9],
);
let seen = 0;
for await (const each of client.getCallsIterator({ trace_ids: [call.trace_id] })) {
  assert.equal(each.trace_id, call.trace_id);
  seen += 1;
}
assert.equal(seen, 1 + 2 + 2);
assert.equal((await client.getCalls({}, false, 3)).length, 3);
await assert.rejects(client.getCall('unknown'), /Call not found/);

interface WeaveSummary {
  readonly status?: string;
  readonly costs?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What the service adds to a summary, for which the SDK has no type. */
function toWeave(summary: object | null | undefined): WeaveSummary {
  return (summary as { readonly weave?: WeaveSummary } | null | undefined)?.weave ?? {};
}
