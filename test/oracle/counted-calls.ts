/**
 * Which calls of a requested subtree count: all but spans of OpenTelemetry that repeat the usage of another call. Plain
 * loops over the three parts of the rule (docs/usage.md).
 */
import type { Call } from './oracle.ts';

/** @param calls all calls of the project */
export function countedCalls(subtree: ReadonlySet<Call>, calls: readonly Call[]): Set<Call> {
  const left = [...subtree].filter(
    (call) => hasTokens(call) && !(call.mode === 'otel' && isRepeatedBelow(call, calls)),
  );
  left.sort((a, b) => (precedes(a, b) ? -1 : 1));
  const counted = new Set<Call>();
  for (const call of subtree) if (call.mode !== 'otel') counted.add(call);
  for (const [place, call] of left.entries()) {
    const before = left.slice(0, place);
    const isRepeated = before.some(
      (other) => isSameResponse(other, call) || isInnerTwin(other, call),
    );
    if (!isRepeated) counted.add(call);
  }
  return counted;
}

/** Whether a counter of tokens of some model is above 0. */
function hasTokens(call: Call): boolean {
  for (const { fields } of call.stored.values()) {
    for (const [name, count] of Object.entries(fields)) {
      if (name !== 'requests' && name !== 'unknownRequests' && count > 0n) return true;
    }
  }
  return false;
}

/** Part 2. Where calls form a cycle, each is below the other, so all of them count. */
function isRepeatedBelow(span: Call, calls: readonly Call[]): boolean {
  let isRepeated = false;
  // Iterating over a set includes elements that are added meanwhile.
  const passed = new Set([span]);
  for (const call of passed) {
    for (const child of calls) {
      if (child.parent !== call || child.isDeleted) continue;
      if (child !== span && hasTokens(child)) isRepeated = true;
      else if (child !== span && child.spanKind !== 'tool') passed.add(child);
    }
  }
  return isRepeated && !isInCycle(span);
}

function isInCycle(call: Call): boolean {
  const above = new Set<Call>();
  for (let next = call.parent; next !== undefined && !next.isDeleted; next = next.parent) {
    if (next === call) return true;
    if (above.has(next)) return false;
    above.add(next);
  }
  return false;
}

/** The one order of parts 1 and 3. What is not a span of OpenTelemetry always counts, and so comes first. */
function precedes(a: Call, b: Call): boolean {
  if ((a.mode === 'otel') !== (b.mode === 'otel')) return a.mode !== 'otel';
  if (a.startedAt !== b.startedAt) return a.startedAt > b.startedAt;
  if (a.endedAt !== b.endedAt) return a.endedAt! < b.endedAt!;
  return a.key > b.key;
}

/** Part 1, agents and workflows aside. */
function isSameResponse(a: Call, b: Call): boolean {
  if (a.spanKind === 'agent' || b.spanKind === 'agent' || a.responseId === '') return false;
  return a.responseId === b.responseId && a.traceId === b.traceId;
}

/** Part 3: whether the inference span `inner` is the same request as `outer`, whose time contains its own. */
function isInnerTwin(inner: Call, outer: Call): boolean {
  const areSpans = inner.mode === 'otel' && outer.mode === 'otel';
  if (!areSpans || inner.spanKind !== 'inference' || outer.spanKind !== 'inference') return false;
  // Also where the parent has not arrived, or is deleted.
  const hasParent = inner.parentId !== undefined && inner.parentId !== '';
  const isSibling =
    hasParent && inner.parentId === outer.parentId && inner.traceId === outer.traceId;
  if (!isSibling || inner.scope === outer.scope) return false;
  if (inner.startedAt < outer.startedAt || inner.endedAt! > outer.endedAt!) return false;
  const areTwoResponses = inner.responseId !== '' && outer.responseId !== '';
  if (areTwoResponses && inner.responseId !== outer.responseId) return false;
  return tokensOf(inner) === tokensOf(outer);
}

/** Input and output of all models. */
function tokensOf({ stored }: Call): string {
  let [input, output] = [0n, 0n];
  for (const { fields } of stored.values()) {
    input += fields.prompt + fields.input;
    output += fields.completion + fields.output;
  }
  return `${input} ${output}`;
}
