import { setTimeout } from 'node:timers/promises';
import OpenAI from 'openai';
import * as weave from 'weave';
import type { Ledger } from './ledger.ts';

/** What a request is to cost, in tokens. It travels as the prompt. */
export interface Spend {
  readonly prompt: number;
  readonly completion: number;
  /** How many of the prompt tokens came from a cache. */
  readonly cached?: number;
  /** As servers answer that have no cache: `prompt_tokens_details: null`. */
  readonly noDetails?: boolean;
  /** Answers so many milliseconds later. */
  readonly delayMs?: number;
}

/** An OpenAI client whose every request is answered in this process, and charged to the ledger. */
export function createFakeOpenAi(ledger: Ledger): OpenAI {
  const client = new OpenAI({
    apiKey: 'none',
    baseURL: 'http://openai.invalid/v1',
    fetch: (url, init) => answer(ledger, urlOf(url), init),
  });
  // The SDK's types ask for a part of the client that newer versions of it no longer have.
  return weave.wrapOpenAI(client as OpenAI & Parameters<typeof weave.wrapOpenAI>[0]);
}

/** The messages of a chat that spends so much. */
export function prompt(spend: Spend): [OpenAI.ChatCompletionUserMessageParam] {
  return [{ role: 'user', content: JSON.stringify(spend) }];
}

interface Body {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages?: readonly { readonly content: string }[];
  readonly input?: string;
  readonly prompt?: string;
}

function urlOf(input: string | URL | Request): string {
  return input instanceof Request ? input.url : String(input);
}

async function answer(ledger: Ledger, url: string, init?: RequestInit): Promise<Response> {
  const body = JSON.parse(init?.body as string) as Body;
  const model = `${body.model}-2026-11-01`;
  const spend = JSON.parse(body.messages?.[0]?.content ?? body.input ?? body.prompt ?? '') as Spend;
  await setTimeout(spend.delayMs ?? 1);
  if (url.endsWith('/images/generations')) {
    ledger.charge('dall-e', { requests: 1, prompt: 0, completion: 0, cached: 0 });
    return Response.json({ created: 0, data: [{ b64_json: 'AAAA' }] });
  }
  ledger.charge(model, {
    requests: 1,
    prompt: spend.prompt,
    completion: spend.completion,
    cached: spend.cached ?? 0,
  });
  if (url.endsWith('/responses')) return answerResponse(model, spend, body.stream);
  return answerChat(model, spend, body.stream);
}

function answerChat(model: string, spend: Spend, stream = false): Response {
  const usage = {
    prompt_tokens: spend.prompt,
    completion_tokens: spend.completion,
    total_tokens: spend.prompt + spend.completion,
    prompt_tokens_details:
      spend.noDetails === true ? null : { cached_tokens: spend.cached ?? 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
  const head = { id: 'chatcmpl-1', created: 1_793_000_000, model };
  if (!stream) {
    const message = { role: 'assistant', content: 'Hello', refusal: null };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    return Response.json({ ...head, object: 'chat.completion', choices, usage });
  }
  const deltas = ['Hel', 'lo'].map((content) => ({
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
    usage: null,
  }));
  const chunks = [...deltas, { choices: [], usage }];
  return streamOf(chunks.map((chunk) => ({ ...head, object: 'chat.completion.chunk', ...chunk })));
}

function answerResponse(model: string, spend: Spend, stream = false): Response {
  const usage = {
    input_tokens: spend.prompt,
    input_tokens_details: { cached_tokens: spend.cached ?? 0 },
    output_tokens: spend.completion,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: spend.prompt + spend.completion,
  };
  const head = { id: 'resp_1', object: 'response', created_at: 1_793_000_000, model, output: [] };
  if (!stream) return Response.json({ ...head, status: 'completed', usage });
  return streamOf([
    { type: 'response.created', response: { ...head, status: 'in_progress', usage: null } },
    { type: 'response.completed', response: { ...head, status: 'completed', usage } },
  ]);
}

function streamOf(events: readonly object[]): Response {
  const lines = [...events.map((event) => JSON.stringify(event)), '[DONE]'];
  const text = lines.map((line) => `data: ${line}\n\n`).join('');
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
}
