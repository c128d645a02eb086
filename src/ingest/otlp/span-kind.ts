import { claudeCode, kindNames } from './attribute-names.ts';
import { readText } from './read-usage.ts';
import type { ReceivedSpan } from './received-span.ts';

/** The values of the column `span_kind`. */
export type SpanKind = (typeof spanKinds)[keyof typeof spanKinds];

const spanKinds = { other: 0, inference: 1, tool: 2, agent: 3 } as const;

const { other, inference, tool, agent } = spanKinds;

/**
 * Whether a span is a model request, a tool, or an agent or workflow. A tool is one by any convention; else the first
 * convention that says anything decides.
 */
export function toSpanKind({
  name,
  attributes,
}: Pick<ReceivedSpan, 'name' | 'attributes'>): SpanKind {
  const kinds = conventions.map(([attribute, toKind]) =>
    toKind(readText(attributes, [attribute]) ?? ''),
  );
  if (kinds.includes(tool)) return tool;
  const first = kinds.find((kind) => kind !== other);
  return first ?? (name === claudeCode.spanName ? inference : other);
}

const conventions: readonly (readonly [string, (value: string) => SpanKind])[] = [
  [
    kindNames.genAi,
    lookUp({
      execute_tool: tool,
      invoke_agent: agent,
      create_agent: agent,
      invoke_workflow: agent,
      chat: inference,
      text_completion: inference,
      completion: inference,
      generate_content: inference,
      embeddings: inference,
      embedding: inference,
      rerank: inference,
    }),
  ],
  [
    kindNames.openInference,
    lookUp({
      TOOL: tool,
      AGENT: agent,
      CHAIN: agent,
      LLM: inference,
      EMBEDDING: inference,
      RERANKER: inference,
    }),
  ],
  [kindNames.traceloop, lookUp({ tool, agent, workflow: agent, task: agent })],
  [
    kindNames.aiSdk,
    // Such as ai.generateText.doGenerate: one request; ai.generateText is around all of them.
    (value) => (value === 'ai.toolCall' ? tool : /\.do[A-Z]/.test(value) ? inference : other),
  ],
  [
    kindNames.mlflow,
    lookUp({ TOOL: tool, LLM: inference, CHAT_MODEL: inference, EMBEDDING: inference }),
  ],
];

function lookUp(kinds: Readonly<Record<string, SpanKind>>): (value: string) => SpanKind {
  const kindOf = new Map(Object.entries(kinds));
  return (value) => kindOf.get(value) ?? other;
}
