import type { ChatCompletionChunk } from 'openai/resources';
import * as weave from 'weave';
import { runProgram } from '../run-program.ts';
import { prompt, type Spend } from './fake-openai.ts';
import { setting, type Tools } from './program.ts';

export const large = 'gpt-large';
export const small = 'gpt-small';

/** What the programs' ops are made of. */
export interface Agent {
  /** Spends at once. */
  readonly ask: (model: string, spend: Spend) => Promise<void>;
  /** Spends when the stream is read. */
  readonly stream: (model: string, spend: Spend) => Promise<AsyncIterable<ChatCompletionChunk>>;
  /** Has another process work below the current call, and waits for it. */
  readonly callWorker: () => Promise<void>;
  /** An op that asks once. */
  readonly plan: () => Promise<void>;
  /** An op that asks, and has an op below it that asks twice at once. */
  readonly search: (index: number) => Promise<void>;
}

/** Makes the ops that more than one program uses. */
export function createAgent({ ledger, openai }: Tools): Agent {
  const ask: Agent['ask'] = async (model, spend) => {
    await openai.chat.completions.create({ model, messages: prompt(spend) });
  };
  const rerank = ledger.op('rerank', async () => {
    await Promise.all([
      ask(small, { prompt: 31, completion: 3, cached: 8 }),
      ask(small, { prompt: 37, completion: 5 }),
    ]);
  });
  return {
    ask,
    stream: (model, spend) =>
      openai.chat.completions.create({ model, messages: prompt(spend), stream: true }),
    callWorker: async () => {
      const { callId, traceId } = weave.requireCurrentCallStackEntry();
      const worker = await runProgram('worker', {
        WF_TRACE_SERVER_URL: setting('WF_TRACE_SERVER_URL'),
        WANDB_API_KEY: setting('WANDB_API_KEY'),
        PROJECT: setting('PROJECT'),
        PARENT: JSON.stringify({ callId, traceId }),
      });
      if (worker.exitCode !== 0) throw new Error(worker.stderr);
      ledger.include(worker.report.calls);
    },
    plan: ledger.op('plan', () => ask(large, { prompt: 1_000, completion: 100, cached: 700 })),
    search: ledger.op('search', async (index: number) => {
      await ask(small, { prompt: 200 + index, completion: 20 });
      await rerank();
    }),
  };
}

/** Reads a stream to its end. */
export async function readAll(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _chunk of chunks);
}
