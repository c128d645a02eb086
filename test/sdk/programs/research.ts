/** Works as agents do: ops in ops, side by side, failing, streaming, hanging and in other processes. */
import { createAgent, large, readAll, small } from './agent.ts';
import type { Spend } from './fake-openai.ts';
import { startProgram } from './program.ts';

const tools = await startProgram();
const { ledger, openai } = tools;
const { ask, stream, callWorker, plan, search } = createAgent(tools);

const useTool = ledger.op('use_tool', async () => {
  await ask(small, { prompt: 71, completion: 7 });
  throw new Error('The tool is broken.');
});

const write = ledger.op('write', async () => {
  await readAll(await stream(large, { prompt: 2_000, completion: 400, cached: 1_024 }));
});

/** An op that tells the SDK its own usage, and has a child besides. */
const judge = ledger.op(
  'judge',
  async () => {
    ledger.charge('local', { requests: 1, prompt: 600, completion: 60, cached: 0 });
    await ask(small, { prompt: 41, completion: 11 });
    return 'good';
  },
  () => ({ usage: { local: { input_tokens: 600, output_tokens: 60 } } }),
);

const answer = ledger.op('answer', async () => {
  await plan();
  await Promise.all([search(1), search(2), search(3)]);
  await useTool().catch(() => undefined);
  await write();
  await judge();
});

/** Ends with an error, after it has spent something below. */
const fail = ledger.op('fail', async () => {
  await search(4);
  await useTool();
});

const question = ledger.op('question', async (index: number) => {
  await ask(large, { prompt: 10 * index, completion: index, delayMs: 2 * index });
  await readAll(await stream(small, { prompt: index, completion: 1 }));
});

const hang = ledger.op('hang', async () => {
  await plan();
  await new Promise(() => undefined);
});

/** Ends while a child of it never does. */
const leave = ledger.op('leave', async () => {
  await search(5);
  void hang();
  await search(6);
});

/** Never ends, since it waits for a child that never does. */
const wait = ledger.op('wait', async () => {
  await search(7);
  await hang();
});

/** Uses OpenAI's newer interface, and asks for a picture, which costs a request and no tokens. */
const respond = ledger.op('respond', async () => {
  const input = JSON.stringify({ prompt: 90, completion: 9 } satisfies Spend);
  await openai.responses.create({ model: large, input });
  await openai.images.generate({ model: 'dall-e-3', prompt: input });
});

/** The same, with an answer that comes in pieces. */
const respondSlowly = ledger.op('respond_slowly', async () => {
  const input = JSON.stringify({ prompt: 80, completion: 8 } satisfies Spend);
  await readAll(await openai.responses.create({ model: large, input, stream: true }));
});

const delegate = ledger.op('delegate', callWorker);

/** Has a worker do a part, and gives it an op of its own. */
const manage = ledger.op('manage', async () => {
  await plan();
  await delegate();
  await write();
});

/** Leaves all work to whoever comes later. */
const enqueue = ledger.op('enqueue', () => Promise.resolve('queued'));

await answer();
await fail().catch(() => undefined);
await Promise.all([1, 2, 3, 4, 5].map(question));
await leave();
await respond();
await respondSlowly();
await manage();
await enqueue();
// Nothing waits for this one: the process ends when the SDK has sent what it has.
void wait();
