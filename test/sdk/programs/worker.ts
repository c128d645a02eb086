/** Continues the trace of another process below one of its calls, which `PARENT` names. */
import { prompt } from './fake-openai.ts';
import { setting, startProgram } from './program.ts';

const { client, ledger, openai } = await startProgram();
const parent = JSON.parse(setting('PARENT')) as { callId: string; traceId: string };

const draft = ledger.op('draft', async (index: number) => {
  await openai.chat.completions.create({
    model: 'gpt-small',
    messages: prompt({ prompt: 500 + index, completion: 50, cached: 100 }),
  });
});

const work = ledger.op('work', async () => {
  await Promise.all([draft(1), draft(2)]);
});

// The SDK has no way to name a parent, but lets its users run something on a call stack: one call of this stack
// is given the ids of the other process's call.
const { currentCall, newStack } = client.pushNewCall();
Object.assign(currentCall, parent);
await client.runWithCallStack(newStack, () => ledger.below(parent.callId, work));
