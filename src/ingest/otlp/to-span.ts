import { createHash } from 'node:crypto';
import type { Span } from '../part.ts';
import { attributeNames, claudeCode } from './attribute-names.ts';
import { toKeptAttributes } from './kept-attributes.ts';
import { readText, readUsage } from './read-usage.ts';
import type { Attributes, ReceivedSpan } from './received-span.ts';
import { toSpanKind } from './span-kind.ts';

/** What a span belongs to. */
export interface SpanContext {
  readonly projectId: string;
  readonly resource: Attributes;
  readonly scope: Scope;
}

/** An instrumentation scope. */
export interface Scope {
  readonly name: string;
  /** The first eight bytes of the name's SHA-256 as a little-endian number, as docs/call-parts.md says; 0 without a name. */
  readonly hash: bigint;
}

export function toScope(name: string): Scope {
  if (name === '') return { name, hash: 0n };
  return { name, hash: createHash('sha256').update(name).digest().readBigUInt64LE() };
}

/** Why a span cannot be stored: what kind of reason it is, in the words of validation issues, and a clause about it. */
export interface Refusal {
  readonly type:
    'missing' | 'value_error' | 'string_too_long' | 'datetime_parsing' | 'item_too_large';
  readonly reason: string;
}

/** The model of a span that has usage and names none, such as that of an agent: it has no price. */
const unknownModel = 'unknown';

/** Converts a span into a complete call. */
export function toSpan(received: ReceivedSpan, context: SpanContext): Span | Refusal {
  const { traceId, spanId, parentId, name, excess, attributes } = received;
  if (traceId === undefined || spanId === undefined || parentId === undefined) return idRefusal;
  if (excess !== undefined) return { type: 'item_too_large', reason: excess };
  const [startedUs, endedUs] = [received.startedNs / 1_000n, received.endedNs / 1_000n];
  if (!isTime(startedUs) || !isTime(endedUs)) return timeRefusal;
  const { scope, resource } = context;
  const model = readModel(received) ?? unknownModel;
  const span: Span = {
    projectId: context.projectId,
    traceId,
    id: spanId,
    parentId,
    name,
    displayName: readText(attributes, attributeNames.displayName) ?? '',
    startedUs,
    endedUs,
    usageMode: readUsageMode(attributes, resource),
    kind: toSpanKind(received),
    scope: scope.hash,
    keptAttributes: toKeptAttributes(attributes, scope.name),
    summary: toSummary(received, model, scope.name),
    responseId: readText(attributes, attributeNames.responseId) ?? '',
    hasError: received.hasError,
    threadId: readOfSpanOrResource(attributes, resource, attributeNames.thread),
    turnId: readTurn(attributes, spanId),
    userId: readOfSpanOrResource(attributes, resource, attributeNames.user),
    runId: readText(attributes, attributeNames.run) ?? '',
  };
  return findTooLong(span, model) ?? span;
}

const idRefusal: Refusal = {
  type: 'value_error',
  reason:
    'a trace id, span id or parent span id is not one: trace ids have 16 bytes, span ids 8 (in JSON 32 and 16 hexadecimal digits), and not all are zero',
};

const timeRefusal: Refusal = {
  type: 'datetime_parsing',
  reason: 'the start or end time is missing or after the year 2299',
};

/** The last microsecond of the year 2299. */
const maxTimeUs = BigInt(Date.UTC(2300, 0, 1)) * 1_000n - 1n;

function isTime(us: bigint): boolean {
  return us > 0n && us <= maxTimeUs;
}

function readModel({ name, attributes }: ReceivedSpan): string | undefined {
  const model = readText(attributes, attributeNames.model);
  return (
    model ?? (name === claudeCode.spanName ? readText(attributes, [claudeCode.model]) : undefined)
  );
}

function readOfSpanOrResource(
  attributes: Attributes,
  resource: Attributes,
  names: readonly string[],
): string {
  return readText(attributes, names) ?? readText(resource, names) ?? '';
}

/** A span that begins a turn of a conversation is named as Weave does it. */
function readTurn(attributes: Attributes, spanId: string): string {
  const isTurn = readText(attributes, attributeNames.isTurn) === 'true';
  return readText(attributes, attributeNames.turn) ?? (isTurn ? spanId : '');
}

/** Characters at most, as openapi/service.openapi.yaml allows them in calls; the longest response id is that of outputs. */
const maxLengths = [
  ['name', 4_096],
  ['displayName', 4_096],
  ['threadId', 512],
  ['userId', 512],
  ['turnId', 512],
  ['runId', 512],
  ['responseId', 256],
] as const;

const maxModelLength = 4_096;

function findTooLong(span: Span, model: string): Refusal | undefined {
  for (const [name, maxLength] of maxLengths) {
    if (span[name].length > maxLength) return tooLong(name, maxLength);
  }
  return model.length > maxModelLength ? tooLong('model', maxModelLength) : undefined;
}

function tooLong(name: string, maxLength: number): Refusal {
  return { type: 'string_too_long', reason: `its ${name} has more than ${maxLength} characters` };
}

/** What a client says itself about the usage of a span and that of its children wins over the rule for spans. */
function readUsageMode(attributes: Attributes, resource: Attributes): Span['usageMode'] {
  const rollup = readOfSpanOrResource(attributes, resource, attributeNames.usageRollup);
  return rollup === 'own' ? 0 : rollup === 'rolled_up' ? 1 : 2;
}

function toSummary(span: ReceivedSpan, model: string, scope: string): object | undefined {
  const usage = readUsage(span, scope);
  if (usage === undefined) return undefined;
  const { input, output, cacheRead, cacheWrite } = usage;
  const tier = readText(span.attributes, attributeNames.serviceTier);
  const entry = {
    requests: 1,
    prompt_tokens: input,
    completion_tokens: output,
    ...(cacheRead > 0 ? { cache_read_input_tokens: cacheRead } : {}),
    ...(cacheWrite > 0 ? { cache_creation_input_tokens: cacheWrite } : {}),
    ...(tier === undefined ? {} : { service_tier: tier }),
  };
  return { usage: { [model]: entry } };
}
