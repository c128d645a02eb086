/**
 * The attributes from which each fact about a span is read, in order: the first one that has a readable value is taken,
 * and two names are never added, since instrumentations send one number under several names.
 */
export const attributeNames = {
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
  /** Read as input where a span has neither input nor output. */
  total: ['llm.token_count.total', 'gen_ai.usage.total_tokens', 'llm.usage.total_tokens'],
  model: [
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
  ],
  responseId: ['gen_ai.response.id', 'ai.response.id'],
  serviceTier: [
    'openai.response.service_tier',
    'gen_ai.openai.response.service_tier',
    'anthropic.response.service_tier',
  ],
  thread: [
    'wandb.thread_id',
    'gen_ai.conversation.id',
    'session.id',
    'langfuse.session.id',
    'gcp.vertex.agent.session_id',
  ],
  user: ['user.id', 'enduser.id', 'langfuse.user.id'],
  usageRollup: ['weave.usage_rollup'],
  displayName: ['wandb.display_name'],
  turn: ['wandb.turn_id'],
  isTurn: ['wandb.is_turn'],
  run: ['wandb.wb_run_id'],
  entity: ['wandb.entity'],
  project: ['wandb.project'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Attributes that say what kind of operation a span is. */
export const kindNames = {
  genAi: 'gen_ai.operation.name',
  openInference: 'openinference.span.kind',
  traceloop: 'traceloop.span.kind',
  aiSdk: 'ai.operationId',
  mlflow: 'mlflow.spanType',
} as const;

/** Attributes whose JSON text has counters, read after all others. */
export const usageTextNames = {
  langfuse: 'langfuse.observation.usage_details',
  mlflow: 'mlflow.chat.tokenUsage',
} as const;

/** Says which API the messages of a span of MLflow belong to. */
export const mlflowFormatName = 'mlflow.message.format';

/** Names without a prefix that Claude Code sends; on spans of another name they may mean anything. */
export const claudeCode = {
  spanName: 'claude_code.llm_request',
  input: 'input_tokens',
  output: 'output_tokens',
  cacheRead: 'cache_read_tokens',
  cacheWrite: 'cache_creation_tokens',
  model: 'model',
} as const;

/** How an attribute is used: read, kept as it was sent for later rules, or both. */
interface AttributeUse {
  readonly isRead: boolean;
  readonly isKept: boolean;
}

const keptFacts = [
  ...['input', 'output', 'cacheRead', 'cacheWrite', 'total'],
  ...['model', 'responseId', 'serviceTier', 'usageRollup'],
];

const useByName = new Map<string, AttributeUse>([
  ...Object.entries(attributeNames).flatMap(([fact, names]) =>
    names.map((name) => [name, { isRead: true, isKept: keptFacts.includes(fact) }] as const),
  ),
  ...[
    ...Object.values(kindNames),
    ...Object.values(usageTextNames),
    ...Object.values(claudeCode),
    mlflowFormatName,
  ].map((name) => [name, { isRead: true, isKept: true }] as const),
  ...[
    ...['gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system', 'ai.model.provider'],
    ...['llm.request.type', 'langfuse.observation.type', 'langsmith.span.kind'],
    ...['metadata.usage_object', 'langsmith.metadata.usage_metadata'],
  ].map((name) => [name, { isRead: false, isKept: true }] as const),
]);

/** Usage that no rule reads today, because it repeats other usage or is not in tokens: a later rule might. */
const keptUsage =
  /^(gen_ai\.(aggregated_)?usage|llm\.token_count|llm\.usage|ai\.usage)\.|^llm\..*\.usage$/;

const keptOnly: AttributeUse = { isRead: false, isKept: true };

/** How an attribute is used; undefined for one that is not needed, such as a prompt. */
export function useOfAttribute(name: string): AttributeUse | undefined {
  return useByName.get(name) ?? (keptUsage.test(name) ? keptOnly : undefined);
}

/** No attribute that is needed has a longer name, in bytes. */
export const maxNameBytes = 128;
