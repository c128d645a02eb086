/** Makes calls as agents do: nested, concurrent, failing, streaming, unfinished and in other processes. */
import { createAgent, largeModel, readToEnd, smallModel } from './agent.ts';
import type { RequestedUsage } from './fake-openai.ts';
import { startProgram } from './start-program.ts';

const context = await startProgram();
const { recorder, openai } = context;
const { requestChat, streamChat, runWorker, plan, search } = createAgent(context);

const useTool = recorder.op('use_tool', async () => {
  await requestChat(smallModel, { prompt: 71, completion: 7 });
  throw new Error('The tool is broken.');
});

const write = recorder.op('write', async () => {
  await readToEnd(await streamChat(largeModel, { prompt: 2_000, completion: 400, cached: 1_024 }));
});

/** Reports its own usage to the SDK with `summarize`, and has a child. */
const judge = recorder.op(
  'judge',
  async () => {
    recorder.recordUsage('local', { requests: 1, prompt: 600, completion: 60, cached: 0 });
    await requestChat(smallModel, { prompt: 41, completion: 11 });
    return 'good';
  },
  () => ({ usage: { local: { input_tokens: 600, output_tokens: 60 } } }),
);

const answer = recorder.op('answer', async () => {
  await plan();
  await Promise.all([search(1), search(2), search(3)]);
  await useTool().catch(() => undefined);
  await write();
  await judge();
});

/** Throws after its children have ended. */
const fail = recorder.op('fail', async () => {
  await search(4);
  await useTool();
});

const question = recorder.op('question', async (index: number) => {
  await requestChat(largeModel, { prompt: 10 * index, completion: index, delayMs: 2 * index });
  await readToEnd(await streamChat(smallModel, { prompt: index, completion: 1 }));
});

const hang = recorder.op('hang', async () => {
  await plan();
  await new Promise(() => undefined);
});

/** Ends, but one of its children never does. */
const leave = recorder.op('leave', async () => {
  await search(5);
  void hang();
  await search(6);
});

/** Never ends, because it waits for a child that never ends. */
const wait = recorder.op('wait', async () => {
  await search(7);
  await hang();
});

/** Uses OpenAI's Responses API, and generates an image, which is a request without tokens. */
const respond = recorder.op('respond', async () => {
  const input = JSON.stringify({ prompt: 90, completion: 9 } satisfies RequestedUsage);
  await openai.responses.create({ model: largeModel, input });
  await openai.images.generate({ model: 'dall-e-3', prompt: input });
});

/** Uses the Responses API with a streamed answer. */
const respondSlowly = recorder.op('respond_slowly', async () => {
  const input = JSON.stringify({ prompt: 80, completion: 8 } satisfies RequestedUsage);
  await readToEnd(await openai.responses.create({ model: largeModel, input, stream: true }));
});

const delegate = recorder.op('delegate', runWorker);

/** Has children in this process and, at the same time, in another one, below a child of their own. */
const manage = recorder.op('manage', async () => {
  await plan();
  await delegate();
  await write();
});

/** Ends without children; others continue its trace later. */
const enqueue = recorder.op('enqueue', () => Promise.resolve('queued'));

await answer();
await fail().catch(() => undefined);
await Promise.all([1, 2, 3, 4, 5].map(question));
await leave();
await respond();
await respondSlowly();
await manage();
await enqueue();
// Not awaited: the process ends when the SDK has sent all parts.
void wait();
