import { createHash } from 'node:crypto';

interface Span {
  readonly name: string;
  readonly startMs: number;
  readonly ms: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly parent?: string;
  readonly error?: string;
}

/**
 * The spans of an agent as an OpenTelemetry exporter sends them: the agent's span repeats the usage of the requests below
 * it, which the service counts once.
 * @param startedAt milliseconds since 1970
 * @returns an `ExportTraceServiceRequest` as JSON
 */
export function toAgentRequest(projectId: string, startedAt: number): unknown {
  const [entity = '', project = ''] = projectId.split('/');
  const trace = toId(`${String(startedAt)} agent trace`, 32);
  const spans = listSpans(startedAt).map((span) => toOtlp(span, trace));
  const resource = {
    'service.name': 'price-agent',
    'wandb.entity': entity,
    'wandb.project': project,
  };
  return {
    resourceSpans: [
      {
        resource: { attributes: toAttributes(resource) },
        scopeSpans: [{ scope: { name: 'opentelemetry.instrumentation.openai_agents' }, spans }],
      },
    ],
  };
}

const model = 'gpt-4o-mini';

function listSpans(startedAt: number): Span[] {
  const requests = [1_420, 2_310, 3_060, 3_905].map((input, index) => ({
    ...{ name: `chat ${model}`, parent: 'invoke_agent price-watch' },
    ...{ startMs: startedAt + 40 + index * 2_600, ms: 1_500 },
    attributes: chat(input, 60 + index * 45, index),
  }));
  const tools = [0, 1, 2].map((index) => ({
    ...{ name: 'execute_tool fetch_page', parent: 'invoke_agent price-watch' },
    ...{ startMs: startedAt + 1_600 + index * 2_600, ms: 900 },
    attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'fetch_page' },
    ...(index === 1 ? { error: '503 from the page' } : {}),
  }));
  const sum = (field: string) =>
    requests.reduce((total, { attributes }) => total + Number(attributes[field]), 0);
  const agent = {
    ...{ name: 'invoke_agent price-watch', startMs: startedAt, ms: 9_600 },
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'price-watch',
      'gen_ai.request.model': model,
      'gen_ai.usage.input_tokens': sum('gen_ai.usage.input_tokens'),
      'gen_ai.usage.output_tokens': sum('gen_ai.usage.output_tokens'),
    },
  };
  return [agent, ...requests, ...tools];
}

function chat(input: number, output: number, index: number): Record<string, string | number> {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': model,
    'gen_ai.response.model': model,
    'gen_ai.response.id': `response-${String(index)}`,
    'gen_ai.usage.input_tokens': input,
    'gen_ai.usage.output_tokens': output,
  };
}

function toOtlp(span: Span, traceId: string): unknown {
  const { name, startMs, ms, parent, error } = span;
  return {
    traceId,
    spanId: toId(`${traceId} ${name} ${parent === undefined ? '' : String(startMs)}`, 16),
    ...(parent === undefined ? {} : { parentSpanId: toId(`${traceId} ${parent} `, 16) }),
    name,
    startTimeUnixNano: `${String(startMs)}000000`,
    endTimeUnixNano: `${String(startMs + ms)}000000`,
    attributes: toAttributes(span.attributes),
    status: error === undefined ? { code: 1 } : { code: 2, message: error },
  };
}

function toAttributes(values: Readonly<Record<string, string | number>>) {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: value } : { stringValue: value },
  }));
}

function toId(seed: string, length: number): string {
  return createHash('sha256').update(seed).digest('hex').slice(0, length);
}
