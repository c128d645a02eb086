import { describe, expect, test } from 'vitest';
import { readUsage } from '../../src/ingest/otlp/read-usage.ts';
import type { AttributeValue, ReceivedSpan } from '../../src/ingest/otlp/received-span.ts';
import { toSpanKind } from '../../src/ingest/otlp/span-kind.ts';
import { toScope, toSpan } from '../../src/ingest/otlp/to-span.ts';
import type { Span } from '../../src/ingest/part.ts';

type Values = Readonly<Record<string, AttributeValue>>;

const scopeName = 'any scope';

function received(values: Values, more: Partial<ReceivedSpan> = {}): ReceivedSpan {
  return {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    parentId: '',
    name: 'a span',
    startedNs: 1_795_773_236_000_000_999n,
    endedNs: 1_795_773_237_000_001_000n,
    hasError: false,
    attributes: new Map(Object.entries(values)),
    excess: undefined,
    ...more,
  };
}

function spanOf(values: Values, more: Partial<ReceivedSpan> = {}, scope = scopeName): Span {
  const context = { projectId: 'team/one', resource: new Map(), scope: toScope(scope) };
  const span = toSpan(received(values, more), context);
  if ('reason' in span) throw new Error(span.reason);
  return span;
}

const usageOf = (values: Values, scope = scopeName) => readUsage(received(values), scope);

/** The names of each counter in the order in which they are read, and how usage with this counter alone reads. */
const counterNames: Readonly<Record<'input' | 'output' | 'cacheRead' | 'cacheWrite', string[]>> = {
  input: [
    'gen_ai.usage.input_tokens',
    'gen_ai.usage.prompt_tokens',
    'llm.token_count.prompt',
    'ai.usage.inputTokens',
    'ai.usage.promptTokens',
    'ai.usage.tokens',
  ],
  output: [
    'gen_ai.usage.output_tokens',
    'gen_ai.usage.completion_tokens',
    'llm.token_count.completion',
    'ai.usage.outputTokens',
    'ai.usage.completionTokens',
  ],
  cacheRead: [
    'gen_ai.usage.cache_read.input_tokens',
    'gen_ai.usage.cache_read_input_tokens',
    'gen_ai.usage.details.cache_read_tokens',
    'llm.token_count.prompt_details.cache_read',
    'ai.usage.inputTokenDetails.cacheReadTokens',
    'ai.usage.cachedInputTokens',
    'gen_ai.usage.prompt_tokens_details.cached_tokens',
    'gen_ai.usage.input_tokens_details.cached_tokens',
  ],
  cacheWrite: [
    'gen_ai.usage.cache_creation.input_tokens',
    'gen_ai.usage.cache_write.input_tokens',
    'gen_ai.usage.cache_creation_input_tokens',
    'gen_ai.usage.cache_write_input_tokens',
    'llm.token_count.prompt_details.cache_write',
    'ai.usage.inputTokenDetails.cacheWriteTokens',
  ],
};

describe.each(Object.entries(counterNames))('the counter %s is read', (counter, names) => {
  /** So that there is usage at all; a counter of input and output is then read before it. */
  const anyUsage: Values = counter.startsWith('cache') ? { 'llm.token_count.total': 1_000 } : {};

  test.each(names)('from %s, before all later names, of which none is added', (name) => {
    const later = names.slice(names.indexOf(name));
    const values = Object.fromEntries(later.map((each, index) => [each, 7 + index]));
    expect(usageOf({ ...anyUsage, ...values })).toMatchObject({ [counter]: 7 });
    // The order in which the attributes were sent does not matter.
    const reversed = Object.fromEntries(Object.entries(values).reverse());
    expect(usageOf({ ...reversed, ...anyUsage })).toMatchObject({ [counter]: 7 });
  });

  test('from the next name where a value is no count', () => {
    const [first, second] = names;
    for (const value of [-1, 1.5, 2 ** 53, 'many', '', true]) {
      expect(usageOf({ ...anyUsage, [first!]: value, [second!]: 9 })).toMatchObject({
        [counter]: 9,
      });
    }
    expect(usageOf({ ...anyUsage, [first!]: '12', [second!]: 9 })).toMatchObject({ [counter]: 12 });
  });
});

test('a total is read as input where there is neither input nor output, and never else', () => {
  const totals = ['llm.token_count.total', 'gen_ai.usage.total_tokens', 'llm.usage.total_tokens'];
  for (const name of totals) {
    const later = totals.slice(totals.indexOf(name));
    const values = Object.fromEntries(later.map((each, index) => [each, 50 + index]));
    expect(usageOf(values)).toEqual({ input: 50, output: 0, cacheRead: 0, cacheWrite: 0 });
    expect(usageOf({ ...values, 'gen_ai.usage.output_tokens': 3 })).toMatchObject({
      input: 0,
      output: 3,
    });
    expect(usageOf({ ...values, 'gen_ai.usage.input_tokens': 2 })).toMatchObject({
      input: 2,
      output: 0,
    });
  }
});

test.each<[string, Values]>([
  ['nothing', {}],
  ['zeros', { 'gen_ai.usage.input_tokens': 0, 'gen_ai.usage.output_tokens': 0 }],
  ['cached tokens alone', { 'gen_ai.usage.cache_read.input_tokens': 5 }],
  ['aggregated usage of pydantic-ai', { 'gen_ai.aggregated_usage.input_tokens': 5 }],
  ['raw usage of logfire', { 'gen_ai.usage.raw': '{"input_tokens":5}' }],
  ['a cost', { 'gen_ai.usage.cost': 5 }],
  ['usage of a provider as LiteLLM sends it', { 'llm.openai.usage': "{'prompt_tokens': 5}" }],
  ['usage with an unknown name', { 'gen_ai.usage.other_tokens': 5, 'gen_ai.usage.details.x': 5 }],
  ['names without a prefix', { input_tokens: 5, output_tokens: 5 }],
  [
    'text that is no JSON',
    { 'mlflow.chat.tokenUsage': '{"input_tokens": 5', 'langfuse.observation.usage_details': '5' },
  ],
])('a span with %s has no usage', (_, values) => {
  expect(usageOf(values)).toBeUndefined();
  expect(spanOf(values).summary).toBeUndefined();
});

test('JSON texts are read after all attributes', () => {
  const mlflow = JSON.stringify({
    ...{ input_tokens: 1_100, output_tokens: 51, total_tokens: 1_151 },
    ...{ cache_read_input_tokens: 512, cache_creation_input_tokens: 3 },
  });
  const langfuse = JSON.stringify({ input: 20, output: 4 });
  expect(usageOf({ 'mlflow.chat.tokenUsage': mlflow })).toEqual({
    ...{ input: 1_100, output: 51, cacheRead: 512, cacheWrite: 3 },
  });
  const both = { 'mlflow.chat.tokenUsage': mlflow, 'langfuse.observation.usage_details': langfuse };
  expect(usageOf(both)).toMatchObject({ input: 20, output: 4 });
  expect(usageOf({ ...both, 'ai.usage.tokens': 6 })).toMatchObject({ input: 6, output: 4 });
});

describe('cached tokens are added to an input that leaves them out', () => {
  const values = {
    'gen_ai.usage.input_tokens': 300,
    'gen_ai.usage.output_tokens': 200,
    'gen_ai.usage.cache_read.input_tokens': 60,
    'gen_ai.usage.cache_creation.input_tokens': 40,
  };

  test.each([
    ['openinference.instrumentation.claude_agent_sdk', 400],
    ['opentelemetry.instrumentation.bedrock', 400],
    ['opentelemetry.instrumentation.anthropic', 300],
    ['com.anthropic.sdk.python', 300],
    ['openinference.instrumentation.anthropic', 300],
    ['', 300],
  ])('by the scope %s: %i', (scope, input) => {
    expect(usageOf(values, scope)).toEqual({ input, output: 200, cacheRead: 60, cacheWrite: 40 });
  });

  test('by the format of messages, where MLflow has traced the SDK of Anthropic', () => {
    const text = JSON.stringify({
      input_tokens: 300,
      output_tokens: 1,
      cache_read_input_tokens: 60,
    });
    const withFormat = (format: string) =>
      usageOf(
        { 'mlflow.chat.tokenUsage': text, 'mlflow.message.format': format },
        'mlflow.tracing.provider',
      );
    expect(withFormat('"anthropic"')).toMatchObject({ input: 360, cacheRead: 60 });
    expect(withFormat('"openai"')).toMatchObject({ input: 300, cacheRead: 60 });
  });

  test('by the name of the span of Claude Code, whose attributes have no prefix', () => {
    const bare = {
      ...{ input_tokens: 10, output_tokens: 5, cache_read_tokens: 900, cache_creation_tokens: 90 },
      model: 'claude-haiku-4-5',
    };
    const span = spanOf(bare, { name: 'claude_code.llm_request' });
    expect(span.kind).toBe(1);
    expect(span.summary).toEqual({
      usage: {
        'claude-haiku-4-5': {
          requests: 1,
          prompt_tokens: 1_000,
          completion_tokens: 5,
          cache_read_input_tokens: 900,
          cache_creation_input_tokens: 90,
        },
      },
    });
  });
});

describe('the model is read', () => {
  const names = [
    'langfuse.observation.model.name',
    'gen_ai.response.model',
    'ai.response.model',
    'llm.response.model_name',
    'llm.model_name',
    'embedding.model_name',
    'reranker.model_name',
    'gen_ai.request.model',
    'ai.model.id',
    'mlflow.llm.model',
    'model_name',
  ];
  const modelOf = (values: Values): string[] => {
    const { summary } = spanOf({ ...values, 'gen_ai.usage.input_tokens': 1 });
    return Object.keys((summary as { usage: object }).usage);
  };

  test.each(names)('from %s, before all later names', (name) => {
    const later = names.slice(names.indexOf(name));
    expect(modelOf(Object.fromEntries(later.map((each) => [each, `from ${each}`])))).toEqual([
      `from ${name}`,
    ]);
    expect(modelOf({ [name]: '', model_name: 'fallback' })).toEqual([
      name === 'model_name' ? 'fallback' : 'fallback',
    ]);
  });

  test('without the quotes of MLflow, and as unknown where there is none', () => {
    expect(modelOf({ 'mlflow.llm.model': '"gpt-4o"' })).toEqual(['gpt-4o']);
    expect(modelOf({ model: 'not read' })).toEqual(['unknown']);
    expect(modelOf({ 'gen_ai.response.model': '__proto__' })).toEqual(['__proto__']);
  });
});

test.each<[Values, number]>([
  ...['execute_tool'].map((value) => [{ 'gen_ai.operation.name': value }, 2] as [Values, number]),
  [{ 'openinference.span.kind': 'TOOL' }, 2],
  [{ 'traceloop.span.kind': 'tool' }, 2],
  [{ 'ai.operationId': 'ai.toolCall' }, 2],
  [{ 'mlflow.spanType': '"TOOL"' }, 2],
  [{ 'gen_ai.operation.name': 'chat', 'openinference.span.kind': 'TOOL' }, 2],
  ...['invoke_agent', 'create_agent', 'invoke_workflow'].map(
    (value) => [{ 'gen_ai.operation.name': value }, 3] as [Values, number],
  ),
  [{ 'openinference.span.kind': 'AGENT' }, 3],
  [{ 'openinference.span.kind': 'CHAIN' }, 3],
  ...['agent', 'workflow', 'task'].map(
    (value) => [{ 'traceloop.span.kind': value }, 3] as [Values, number],
  ),
  [{ 'gen_ai.operation.name': 'execute_task', 'traceloop.span.kind': 'task' }, 3],
  ...[
    'chat',
    'text_completion',
    'completion',
    'generate_content',
    'embeddings',
    'embedding',
    'rerank',
  ].map((value) => [{ 'gen_ai.operation.name': value }, 1] as [Values, number]),
  ...['LLM', 'EMBEDDING', 'RERANKER'].map(
    (value) => [{ 'openinference.span.kind': value }, 1] as [Values, number],
  ),
  [{ 'ai.operationId': 'ai.generateText.doGenerate' }, 1],
  [{ 'ai.operationId': 'ai.embed.doEmbed' }, 1],
  [{ 'ai.operationId': 'ai.generateText' }, 0],
  ...['"LLM"', '"CHAT_MODEL"', '"EMBEDDING"'].map(
    (value) => [{ 'mlflow.spanType': value }, 1] as [Values, number],
  ),
  [{ 'mlflow.spanType': '"UNKNOWN"' }, 0],
  [{ 'gen_ai.operation.name': 'agent_step' }, 0],
  [{}, 0],
])('the kind of a span with %j is %i', (values, kind) => {
  expect(toSpanKind(received(values))).toBe(kind);
});

test('times are cut off to microseconds, and names come from where conventions have them', () => {
  const span = spanOf({
    'gen_ai.response.id': 'response-1',
    'gen_ai.conversation.id': 'conversation',
    'session.id': 'session',
    'user.id': 'somebody',
    'wandb.display_name': 'A name',
    'wandb.is_turn': true,
    'wandb.wb_run_id': 'run-1',
  });
  expect(span).toMatchObject({
    startedUs: 1_795_773_236_000_000n,
    endedUs: 1_795_773_237_000_001n,
    responseId: 'response-1',
    threadId: 'conversation',
    userId: 'somebody',
    displayName: 'A name',
    turnId: '2'.repeat(16),
    runId: 'run-1',
    usageMode: 2,
  });
  expect(spanOf({ 'weave.usage_rollup': 'own' }).usageMode).toBe(0);
  expect(spanOf({ 'weave.usage_rollup': 'rolled_up' }).usageMode).toBe(1);
});

test('attributes about usage are kept as they were sent, up to 4 KiB, and no others', () => {
  const usage: Values = {
    'gen_ai.usage.input_tokens': '7',
    'gen_ai.aggregated_usage.input_tokens': 9,
    'gen_ai.usage.cost': 0.25,
    'llm.openai.usage': "{'prompt_tokens': 7}",
    'gen_ai.operation.name': 'chat',
  };
  const { keptAttributes } = spanOf({
    ...usage,
    'gen_ai.input.messages': 'a secret',
    'user.id': 'x',
  });
  expect(JSON.parse(keptAttributes)).toEqual({ ...usage, 'otel.scope.name': scopeName });

  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`gen_ai.usage.details.é${index}`, 'ü'.repeat(50)]),
  );
  const kept = spanOf(many).keptAttributes;
  expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(4_096);
  expect(Buffer.byteLength(kept)).toBeGreaterThan(3_900);
  expect(many).toMatchObject(JSON.parse(kept.replace(/,"otel.scope.name":"[^"]*"/, '')) as object);
  expect(spanOf({ 'http.route': '/' }).keptAttributes).toBe('');
});
