import { attributeNames, claudeCode, mlflowFormatName, usageTextNames } from './attribute-names.ts';
import type { Attributes, AttributeValue, ReceivedSpan } from './received-span.ts';

/** What a span says that it spent. */
export interface SpanUsage {
  /** With the two counters of cached tokens. */
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/**
 * Reads the usage of a span.
 * @param scope the name of its instrumentation scope
 * @returns undefined where it has neither input nor output above 0
 */
export function readUsage(
  { name, attributes }: Pick<ReceivedSpan, 'name' | 'attributes'>,
  scope: string,
): SpanUsage | undefined {
  const isClaudeCode = name === claudeCode.spanName;
  const texts = readUsageTexts(attributes);
  const read = (counter: keyof SpanUsage): number | undefined =>
    readCounter(attributes, attributeNames[counter]) ??
    texts[counter] ??
    (isClaudeCode ? readCounter(attributes, [claudeCode[counter]]) : undefined);
  const [input, output] = [read('input'), read('output')];
  const hasBoth = input !== undefined || output !== undefined;
  const total = hasBoth ? undefined : readCounter(attributes, attributeNames.total);
  const [cacheRead, cacheWrite] = [read('cacheRead') ?? 0, read('cacheWrite') ?? 0];
  const reported = input ?? total ?? 0;
  if (reported + (output ?? 0) === 0) return undefined;
  const cached =
    isClaudeCode || isCachedBesideInput(attributes, scope) ? cacheRead + cacheWrite : 0;
  return { input: reported + cached, output: output ?? 0, cacheRead, cacheWrite };
}

/** Instrumentations whose input leaves cached tokens out, as Anthropic's API counts; all others include them. */
const scopesWithCachedBesideInput = [
  'openinference.instrumentation.claude_agent_sdk',
  'opentelemetry.instrumentation.bedrock',
];

/** All instrumentations of MLflow have the same scope; the format of the messages tells the one of Anthropic's SDK. */
function isCachedBesideInput(attributes: Attributes, scope: string): boolean {
  return (
    scopesWithCachedBesideInput.includes(scope) ||
    (attributes.has(usageTextNames.mlflow) &&
      unquoted(attributes.get(mlflowFormatName)) === 'anthropic')
  );
}

function readCounter(attributes: Attributes, names: readonly string[]): number | undefined {
  for (const name of names) {
    const counter = toCounter(attributes.get(name));
    if (counter !== undefined) return counter;
  }
  return undefined;
}

/** An integer from 0 to 2^53 - 1, or text of digits alone. */
function toCounter(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : undefined;
}

/** Where the JSON texts have each counter. */
const usageTexts = [
  [usageTextNames.langfuse, { input: 'input', output: 'output' }],
  [
    usageTextNames.mlflow,
    {
      input: 'input_tokens',
      output: 'output_tokens',
      cacheRead: 'cache_read_input_tokens',
      cacheWrite: 'cache_creation_input_tokens',
    },
  ],
] as const;

function readUsageTexts(attributes: Attributes): Partial<SpanUsage> {
  const usage: Partial<Record<keyof SpanUsage, number>> = {};
  for (const [name, fields] of usageTexts) {
    const text = attributes.get(name);
    const object = typeof text === 'string' ? parseObject(text) : undefined;
    if (object === undefined) continue;
    for (const [counter, field] of Object.entries(fields) as [keyof SpanUsage, string][]) {
      const count = Object.hasOwn(object, field) ? toCounter(object[field]) : undefined;
      if (count !== undefined) usage[counter] ??= count;
    }
  }
  return usage;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The first of the attributes that is a text of some length, without the quotes that MLflow puts around it. */
export function readText(attributes: Attributes, names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = unquoted(attributes.get(name));
    if (text !== '') return text;
  }
  return undefined;
}

function unquoted(value: AttributeValue | undefined): string {
  const text = String(value ?? '');
  if (!text.startsWith('"') || !text.endsWith('"') || text.length < 2) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}
