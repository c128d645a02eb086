import { usd, type ProviderUsage } from './provider-usage.ts';

/** Usage objects of SDKs and frameworks, which rename what the APIs report. */
export const libraries: readonly ProviderUsage[] = [
  {
    provider: 'Azure OpenAI SDK for JavaScript',
    model: 'gpt-4',
    usage: { completionTokens: 40, promptTokens: 57, totalTokens: 97 },
    prompt: 57,
    completion: 40,
    promptCost: 57 * usd.prompt,
    completionCost: 40 * usd.completion,
  },
  {
    provider: 'Claude Agent SDK',
    model: 'claude-opus-4-6',
    usage: {
      inputTokens: 12,
      outputTokens: 300,
      cacheReadInputTokens: 4,
      cacheCreationInputTokens: 5,
      webSearchRequests: 0,
      costUSD: 0.01,
    },
    prompt: 12 + 4 + 5,
    completion: 300,
    promptCost: 12 * usd.prompt + 4 * usd.cacheRead + 5 * usd.cacheWrite,
    completionCost: 300 * usd.completion,
  },
  {
    provider: 'OpenRouter SDK for TypeScript',
    model: 'openai/gpt-5',
    usage: {
      promptTokens: 100,
      completionTokens: 40,
      totalTokens: 140,
      promptTokensDetails: { cachedTokens: 60, audioTokens: 0 },
      completionTokensDetails: { reasoningTokens: 25 },
    },
    prompt: 100,
    completion: 40,
    promptCost: 40 * usd.prompt + 60 * usd.cacheRead,
    completionCost: 40 * usd.completion,
  },
  {
    provider: 'LiteLLM',
    model: 'claude-haiku-4-5',
    usage: {
      prompt_tokens: 130,
      completion_tokens: 50,
      total_tokens: 180,
      prompt_tokens_details: {
        text_tokens: 100,
        cached_tokens: 20,
        cache_creation_tokens: 10,
        cache_creation_token_details: {
          ephemeral_5m_input_tokens: 7,
          ephemeral_1h_input_tokens: 3,
        },
      },
      cache_creation_input_tokens: 10,
      cache_read_input_tokens: 20,
    },
    prompt: 130,
    completion: 50,
    promptCost: 100 * usd.prompt + 20 * usd.cacheRead + 7 * usd.cacheWrite + 3 * usd.cacheWrite1h,
    completionCost: 50 * usd.completion,
  },
  {
    provider: 'Vercel AI SDK 4',
    model: 'gpt-4o',
    usage: { promptTokens: 10, completionTokens: 20, totalTokens: 30 },
    prompt: 10,
    completion: 20,
    promptCost: 10 * usd.prompt,
    completionCost: 20 * usd.completion,
  },
  {
    provider: 'Vercel AI SDK 5',
    model: 'gpt-5-mini',
    usage: {
      inputTokens: 100,
      outputTokens: 50,
      totalTokens: 150,
      reasoningTokens: 30,
      cachedInputTokens: 64,
    },
    prompt: 100,
    completion: 50,
    promptCost: 36 * usd.prompt + 64 * usd.cacheRead,
    completionCost: 50 * usd.completion,
  },
  {
    provider: 'Vercel AI SDK 6',
    model: 'claude-sonnet-4-5',
    usage: {
      inputTokens: 27_000,
      inputTokenDetails: { noCacheTokens: 27, cacheReadTokens: 0, cacheWriteTokens: 26_973 },
      outputTokens: 150,
      outputTokenDetails: { textTokens: 150, reasoningTokens: 0 },
      totalTokens: 27_150,
    },
    prompt: 27_000,
    completion: 150,
    promptCost: 27 * usd.prompt + 26_973 * usd.cacheWrite,
    completionCost: 150 * usd.completion,
  },
  {
    provider: 'LangChain',
    model: 'gpt-4o-audio-preview',
    usage: {
      input_tokens: 350,
      output_tokens: 240,
      total_tokens: 590,
      input_token_details: { audio: 10, cache_creation: 200, cache_read: 100 },
      output_token_details: { audio: 10, reasoning: 200 },
    },
    prompt: 350,
    completion: 240,
    promptCost:
      (350 - 10 - 200 - 100) * usd.prompt +
      100 * usd.cacheRead +
      200 * usd.cacheWrite +
      10 * usd.audioIn,
    completionCost: 230 * usd.completion + 10 * usd.audioOut,
  },
  {
    provider: 'Pydantic AI',
    model: 'gemini-2.5-pro',
    usage: {
      input_tokens: 500,
      cache_write_tokens: 100,
      cache_read_tokens: 200,
      output_tokens: 60,
      input_audio_tokens: 50,
      cache_audio_read_tokens: 20,
      output_audio_tokens: 10,
      details: { text_prompt_tokens: 450 },
    },
    prompt: 500,
    completion: 60,
    promptCost:
      (500 - 200 - 100 - 30) * usd.prompt +
      200 * usd.cacheRead +
      100 * usd.cacheWrite +
      30 * usd.audioIn,
    completionCost: 50 * usd.completion + 10 * usd.audioOut,
  },
  {
    provider: 'OpenAI Codex',
    model: 'gpt-5.5',
    usage: {
      input_tokens: 12_000,
      cached_input_tokens: 10_000,
      cache_write_input_tokens: 500,
      output_tokens: 300,
      reasoning_output_tokens: 200,
      total_tokens: 12_300,
    },
    prompt: 12_000,
    completion: 300,
    promptCost: 1500 * usd.prompt + 10_000 * usd.cacheRead + 500 * usd.cacheWrite,
    completionCost: 300 * usd.completion,
  },
  {
    provider: 'Microsoft.Extensions.AI',
    model: 'gpt-4.1',
    usage: { inputTokenCount: 40, outputTokenCount: 10, totalTokenCount: 50 },
    prompt: 40,
    completion: 10,
    promptCost: 40 * usd.prompt,
    completionCost: 10 * usd.completion,
  },
];
