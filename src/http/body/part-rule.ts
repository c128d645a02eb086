import type { JsonRule } from './json-copier.ts';

/**
 * How the body of one part is read. What is below these members is needed for no answer, but for short texts of the
 * output.
 */
export function partRule(isRawWanted: boolean): JsonRule {
  const inputs = { omit: { keep: [], isRawWanted } };
  const output = { omit: { keep: ['id', 'service_tier'], isRawWanted } };
  return {
    members: {
      start: { members: { inputs, otel_dump: inputs } },
      end: { members: { output } },
    },
  };
}

/** How an item of a batch is read, a part or a complete call. */
export function itemRule(keepPayloads: boolean): JsonRule {
  const part = partRule(keepPayloads);
  return {
    members: { ...part.members?.['start']?.members, ...part.members?.['end']?.members, req: part },
  };
}
