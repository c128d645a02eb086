/** Continues the trace of another process: its calls are children of the call in `PARENT`. */
import { messagesOf } from './fake-openai.ts';
import { requiredVariable, startProgram } from './start-program.ts';

const { client, recorder, openai } = await startProgram();
const parent = JSON.parse(requiredVariable('PARENT')) as { callId: string; traceId: string };

const draft = recorder.op('draft', async (index: number) => {
  await openai.chat.completions.create({
    model: 'gpt-small',
    messages: messagesOf({ prompt: 500 + index, completion: 50, cached: 100 }),
  });
});

const work = recorder.op('work', async () => {
  await Promise.all([draft(1), draft(2)]);
});

// The SDK cannot set the parent of a call, but runs functions on a given call stack: a call of this stack gets the ids
// of the other process's call.
const { currentCall, newStack } = client.pushNewCall();
Object.assign(currentCall, parent);
await client.runWithCallStack(newStack, () => recorder.runAsChildOf(parent.callId, work));
