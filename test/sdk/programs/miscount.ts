/** Does what makes the SDK's own sums at parents wrong: too small, in some counters or in all. */
import { createAgent, large, readAll, small } from './agent.ts';
import type { Spend } from './fake-openai.ts';
import { startProgram } from './program.ts';

const tools = await startProgram();
const { ledger, openai } = tools;
const { ask, stream, callWorker, plan, search } = createAgent(tools);

/** Answers a stream and is over before anyone reads it: the stream's usage is not in its own. */
const open = ledger.op('open', async () => {
  await ask(small, { prompt: 5, completion: 50 });
  return await stream(large, { prompt: 300, completion: 30 });
});

const streamLate = ledger.op('stream_late', async () => {
  await readAll(await open());
});

/** A detail that is null wipes out the sum of those before it. */
const loseDetails = ledger.op('lose_details', async () => {
  await ask(small, { prompt: 43, completion: 4, cached: 16 });
  await ask(small, { prompt: 47, completion: 6, noDetails: true });
});

/** Responses that come at once hold `total_tokens`, those that stream do not. */
const mixResponses = ledger.op('mix_responses', async () => {
  const input = JSON.stringify({ prompt: 90, completion: 9 } satisfies Spend);
  await openai.responses.create({ model: large, input });
  await readAll(await openai.responses.create({ model: large, input, stream: true }));
});

/** Has children of its own, and another one in another process. */
const share = ledger.op('share', async () => {
  await plan();
  await callWorker();
  await search(8);
});

/** Spends something itself, and less than its only child, which is in another process. */
const consult = ledger.op(
  'consult',
  async () => {
    ledger.charge('gpt-small-2026-11-01', { requests: 1, prompt: 60, completion: 6, cached: 0 });
    await callWorker();
    return 'good';
  },
  () => ({ usage: { 'gpt-small-2026-11-01': { input_tokens: 60, output_tokens: 6 } } }),
);

/** Is over, with children of its own, when another process adds one. */
const resume = ledger.op('resume', async () => {
  await plan();
  await search(9);
});

await streamLate();
await loseDetails();
await mixResponses();
await share();
await consult();
await resume();
