import type { CostCreateInput } from '../src/openapi-types.ts';
import { toSampleCall, type SampleTrace, type SampleUsage, type Step } from './sample-call.ts';

export const sampleProjectId = 'demo/shop-assistant';

/**
 * A fixed Monday: ids, times and the answer are the same on every run, as documented in docs/demo.md, and a second run
 * with the same data directory sends identical parts. All default prices of the models below took effect before it.
 */
const monday = Date.UTC(2026, 10, 2);

/** A price that the project negotiated with its vendor; it takes precedence over the model's default price. */
export const sampleProjectPrices: Readonly<Record<string, CostCreateInput>> = {
  'gpt-4o': {
    prompt_token_cost: 0.000002,
    completion_token_cost: 0.000008,
    cache_read_input_token_cost: 0.000001,
    effective_date: '2026-11-01T00:00:00Z',
    provider_id: 'openai',
  },
};

const evaluationRows = 200;

/** Four traces of a shop assistant; the first two contain most of what occurs in real traces. */
export const sampleTraces: readonly SampleTrace[] = [
  {
    description: 'agent: tools, retries, sub-agents',
    delivery: 'batches',
    root: toSampleCall(sampleProjectId, at(9, 14), answerCustomer()),
  },
  {
    description: `evaluation of ${String(evaluationRows)} rows`,
    delivery: 'complete',
    root: toSampleCall(sampleProjectId, at(10, 0), evaluation()),
  },
  {
    description: 'in-house model without a price',
    delivery: 'single',
    root: toSampleCall(sampleProjectId, at(11, 2), triageTicket()),
  },
  {
    description: 'still running',
    delivery: 'batches',
    root: toSampleCall(sampleProjectId, at(11, 30), draftRefund()),
  },
];

function at(hour: number, minute: number): number {
  return monday + (hour * 60 + minute) * 60_000;
}

function answerCustomer(): Step {
  return {
    op: 'answer_customer',
    ms: 40,
    inputs: { message: 'The kettle came without its lid. Can I have my money back?' },
    output: 'Your refund is on its way; you can keep the kettle.',
    steps: [
      { op: 'plan', ms: 6, steps: [openaiChat('gpt-4o', 1_840, 212)] },
      {
        op: 'search_help_centre',
        ms: 12,
        inputs: { query: 'missing part, refund' },
        steps: [
          openaiEmbeddings('text-embedding-3-small', 18_412),
          { op: 'vector_search', ms: 38, inputs: { top: 8 }, output: { found: 8 } },
        ],
      },
      resolveOrder(),
      {
        op: 'write_reply',
        ms: 8,
        steps: [
          { op: 'openai.chat', ms: 210, exception: 'RateLimitError: retry after 1 s' },
          openaiChat('gpt-4o', 5_210, 486, 1_536),
        ],
      },
      { op: 'check_tone', ms: 4, steps: [openaiChat('gpt-4o-mini', 1_022, 9)] },
    ],
  };
}

/** The sub-agent: its prompt is written to the cache once and then read from it. */
function resolveOrder(): Step {
  const model = 'claude-sonnet-4-5';
  return {
    op: 'resolve_order',
    ms: 22,
    inputs: { order: 'A-20417' },
    steps: [
      anthropicMessages(model, { input: 6_120, output: 164, cacheWrite: 5_200 }),
      {
        op: 'lookup_order',
        ms: 2_000,
        inputs: { order: 'A-20417' },
        exception: 'TimeoutError: the order service did not answer within 2 s',
      },
      { op: 'lookup_order', ms: 310, inputs: { order: 'A-20417' }, output: { state: 'delivered' } },
      anthropicMessages(model, { input: 6_940, output: 201, cacheRead: 5_200 }),
      {
        op: 'check_refund_policy',
        ms: 9,
        steps: [
          { op: 'fetch_policy', ms: 64, inputs: { country: 'PT' }, output: { pages: 11 } },
          openaiChat('gpt-4o-mini', 12_604, 388),
        ],
      },
      anthropicMessages(model, { input: 8_015, output: 342, cacheRead: 5_200, cacheWrite: 1_300 }),
    ],
  };
}

function evaluation(): Step {
  return {
    op: 'Evaluation.evaluate',
    ms: 900,
    inputs: { dataset: 'support-questions', model: 'answer_question' },
    output: { rows: evaluationRows, mean_score: 0.87 },
    steps: Array.from({ length: evaluationRows }, (_, row) => evaluationRow(row)),
  };
}

/** Token counts vary from row to row, computed from the row number instead of at random. */
function evaluationRow(row: number): Step {
  return {
    op: 'predict_and_score',
    ms: 5,
    inputs: { row },
    steps: [
      {
        op: 'answer_question',
        ms: 3,
        steps: [openaiChat('gpt-4o-mini', 1_180 + ((row * 73) % 640), 90 + ((row * 37) % 210))],
      },
      {
        op: 'judge_answer',
        ms: 3,
        steps: [openaiChat('gpt-4o', 620 + ((row * 41) % 380), 18 + ((row * 11) % 30))],
      },
    ],
  };
}

function triageTicket(): Step {
  return {
    op: 'triage_ticket',
    ms: 7,
    inputs: { ticket: 88_213 },
    steps: [
      vllmChat('shop-triage-7b', 2_310, 24),
      geminiContent('gemini-2.5-flash', 3_904, 176),
      { op: 'assign_team', ms: 15, output: { team: 'returns' } },
    ],
  };
}

function draftRefund(): Step {
  return {
    op: 'draft_refund',
    ms: 5,
    running: true,
    inputs: { order: 'A-20417' },
    steps: [
      openaiChat('gpt-4o', 2_266, 305),
      { op: 'anthropic.messages', ms: 0, running: true, inputs: { model: 'claude-sonnet-4-5' } },
    ],
  };
}

function openaiChat(model: string, prompt: number, completion: number, cached = 0): Step {
  return llmCall('openai.chat', completion * 14, {
    [model]: {
      requests: 1,
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: cached },
    },
  });
}

function openaiEmbeddings(model: string, prompt: number): Step {
  return llmCall('openai.embeddings', 180, {
    [model]: { requests: 1, prompt_tokens: prompt, total_tokens: prompt },
  });
}

/** `input` counts all prompt tokens, cache reads and cache writes included. */
function anthropicMessages(
  model: string,
  tokens: { input: number; output: number; cacheRead?: number; cacheWrite?: number },
): Step {
  return llmCall('anthropic.messages', tokens.output * 16, {
    [model]: {
      requests: 1,
      input_tokens: tokens.input,
      output_tokens: tokens.output,
      cache_read_input_tokens: tokens.cacheRead ?? 0,
      cache_creation_input_tokens: tokens.cacheWrite ?? 0,
    },
  });
}

function geminiContent(model: string, prompt: number, completion: number): Step {
  return llmCall('gemini.generate', completion * 8, {
    [model]: {
      requests: 1,
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
    },
  });
}

function vllmChat(model: string, prompt: number, completion: number): Step {
  return llmCall('vllm.chat', completion * 9, {
    [model]: { requests: 1, prompt_tokens: prompt, completion_tokens: completion },
  });
}

function llmCall(op: string, ms: number, usage: SampleUsage): Step {
  return { op, ms, usage, inputs: { model: Object.keys(usage)[0] } };
}
