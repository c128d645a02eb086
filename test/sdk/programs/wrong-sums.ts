/** Makes calls for which the SDK stores sums at the parent that are too small, in some counters or in all. */
import { createAgent, largeModel, readToEnd, smallModel } from './agent.ts';
import type { RequestedUsage } from './fake-openai.ts';
import { startProgram } from './start-program.ts';

const context = await startProgram();
const { recorder, openai } = context;
const { requestChat, streamChat, runWorker, plan, search } = createAgent(context);

/** Returns a stream and ends before the stream is read, so its sum does not include the usage of the stream. */
const open = recorder.op('open', async () => {
  await requestChat(smallModel, { prompt: 5, completion: 50 });
  return await streamChat(largeModel, { prompt: 300, completion: 30 });
});

const streamLate = recorder.op('stream_late', async () => {
  await readToEnd(await open());
});

/** The SDK drops the sum of a detail when one of the added values is null. */
const loseDetails = recorder.op('lose_details', async () => {
  await requestChat(smallModel, { prompt: 43, completion: 4, cached: 16 });
  await requestChat(smallModel, { prompt: 47, completion: 6, noDetails: true });
});

/** The SDK stores `total_tokens` of a single answer, but not of a streamed one. */
const mixResponses = recorder.op('mix_responses', async () => {
  const input = JSON.stringify({ prompt: 90, completion: 9 } satisfies RequestedUsage);
  await openai.responses.create({ model: largeModel, input });
  await readToEnd(await openai.responses.create({ model: largeModel, input, stream: true }));
});

/** Has children in this process and one in another process. */
const share = recorder.op('share', async () => {
  await plan();
  await runWorker();
  await search(8);
});

/** Has usage of its own, which is smaller than that of its only child, in another process. */
const consult = recorder.op(
  'consult',
  async () => {
    recorder.recordUsage('gpt-small-2026-11-01', {
      requests: 1,
      prompt: 60,
      completion: 6,
      cached: 0,
    });
    await runWorker();
    return 'good';
  },
  () => ({ usage: { 'gpt-small-2026-11-01': { input_tokens: 60, output_tokens: 6 } } }),
);

/** Ends with children in this process; another process adds a child later. */
const resume = recorder.op('resume', async () => {
  await plan();
  await search(9);
});

await streamLate();
await loseDetails();
await mixResponses();
await share();
await consult();
await resume();
