import type { ChatCompletionChunk } from 'openai/resources';
import * as weave from 'weave';
import { runProgram } from '../run-program.ts';
import { messagesOf, type RequestedUsage } from './fake-openai.ts';
import { requiredVariable, type ProgramContext } from './start-program.ts';

export const largeModel = 'gpt-large';
export const smallModel = 'gpt-small';

/** Ops and requests that several programs use. */
export interface Agent {
  /** A chat request with a single answer. */
  readonly requestChat: (model: string, usage: RequestedUsage) => Promise<void>;
  /** A chat request with a streamed answer. */
  readonly streamChat: (
    model: string,
    usage: RequestedUsage,
  ) => Promise<AsyncIterable<ChatCompletionChunk>>;
  /** Runs a process that makes children of the current call, and waits for it. */
  readonly runWorker: () => Promise<void>;
  /** An op with one request. */
  readonly plan: () => Promise<void>;
  /** An op with one request and a child op with two concurrent requests. */
  readonly search: (index: number) => Promise<void>;
}

export function createAgent({ recorder, openai }: ProgramContext): Agent {
  const requestChat: Agent['requestChat'] = async (model, usage) => {
    await openai.chat.completions.create({ model, messages: messagesOf(usage) });
  };
  const rerank = recorder.op('rerank', async () => {
    await Promise.all([
      requestChat(smallModel, { prompt: 31, completion: 3, cached: 8 }),
      requestChat(smallModel, { prompt: 37, completion: 5 }),
    ]);
  });
  return {
    requestChat,
    streamChat: (model, usage) =>
      openai.chat.completions.create({ model, messages: messagesOf(usage), stream: true }),
    runWorker: async () => {
      const { callId, traceId } = weave.requireCurrentCallStackEntry();
      const worker = await runProgram('worker', {
        WF_TRACE_SERVER_URL: requiredVariable('WF_TRACE_SERVER_URL'),
        WANDB_API_KEY: requiredVariable('WANDB_API_KEY'),
        PROJECT: requiredVariable('PROJECT'),
        PARENT: JSON.stringify({ callId, traceId }),
      });
      if (worker.exitCode !== 0) throw new Error(worker.stderr);
      recorder.addCalls(worker.report.calls);
    },
    plan: recorder.op('plan', () =>
      requestChat(largeModel, { prompt: 1_000, completion: 100, cached: 700 }),
    ),
    search: recorder.op('search', async (index: number) => {
      await requestChat(smallModel, { prompt: 200 + index, completion: 20 });
      await rerank();
    }),
  };
}

export async function readToEnd(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _chunk of chunks);
}
