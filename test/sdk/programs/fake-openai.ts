import { setTimeout } from 'node:timers/promises';
import OpenAI from 'openai';
import * as weave from 'weave';
import type { UsageRecorder } from './usage-recorder.ts';

/** The usage that the answer to a request reports; the request contains it as its prompt. */
export interface RequestedUsage {
  readonly prompt: number;
  readonly completion: number;
  /** Part of `prompt`; default 0. */
  readonly cached?: number;
  /** Answers `prompt_tokens_details: null`, as servers without a cache do. */
  readonly noDetails?: boolean;
  /** Delays the answer. */
  readonly delayMs?: number;
}

/** An OpenAI client whose requests are answered in this process and recorded. */
export function createFakeOpenAi(recorder: UsageRecorder): OpenAI {
  const client = new OpenAI({
    apiKey: 'none',
    baseURL: 'http://openai.invalid/v1',
    fetch: (url, init) => answer(recorder, urlOf(url), init),
  });
  // The types of the Weave SDK require a property that newer OpenAI clients no longer have.
  return weave.wrapOpenAI(client as OpenAI & Parameters<typeof weave.wrapOpenAI>[0]);
}

/** The messages of a chat request whose answer reports a usage. */
export function messagesOf(usage: RequestedUsage): [OpenAI.ChatCompletionUserMessageParam] {
  return [{ role: 'user', content: JSON.stringify(usage) }];
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

async function answer(recorder: UsageRecorder, url: string, init?: RequestInit): Promise<Response> {
  const body = JSON.parse(init?.body as string) as Body;
  const model = `${body.model}-2026-11-01`;
  const prompt = body.messages?.[0]?.content ?? body.input ?? body.prompt ?? '';
  const requested = JSON.parse(prompt) as RequestedUsage;
  await setTimeout(requested.delayMs ?? 1);
  if (url.endsWith('/images/generations')) {
    recorder.recordUsage('dall-e', { requests: 1, prompt: 0, completion: 0, cached: 0 });
    return Response.json({ created: 0, data: [{ b64_json: 'AAAA' }] });
  }
  recorder.recordUsage(model, {
    requests: 1,
    prompt: requested.prompt,
    completion: requested.completion,
    cached: requested.cached ?? 0,
  });
  if (url.endsWith('/responses')) return answerResponse(model, requested, body.stream);
  return answerChat(model, requested, body.stream);
}

function answerChat(model: string, requested: RequestedUsage, stream = false): Response {
  const usage = {
    prompt_tokens: requested.prompt,
    completion_tokens: requested.completion,
    total_tokens: requested.prompt + requested.completion,
    prompt_tokens_details:
      requested.noDetails === true
        ? null
        : { cached_tokens: requested.cached ?? 0, audio_tokens: 0 },
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

function answerResponse(model: string, requested: RequestedUsage, stream = false): Response {
  const usage = {
    input_tokens: requested.prompt,
    input_tokens_details: { cached_tokens: requested.cached ?? 0 },
    output_tokens: requested.completion,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: requested.prompt + requested.completion,
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
