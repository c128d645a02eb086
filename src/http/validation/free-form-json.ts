import type { ValidationIssue } from '../../errors.ts';
import { hasLoneSurrogate, unicodeWords } from './unicode.ts';
import { isRecord, type Location } from './validator.ts';

/** JSON.stringify runs out of stack somewhere beyond 5,000 levels, ClickHouse's JSON reader at 1,024. */
const maxLevels = 500;

/** Fields that hold any JSON. */
const openFields = [
  'attributes',
  'inputs',
  'output',
  'summary',
  'otel_dump',
  'val',
  'rows',
  'payload',
];

/** As many characters as the name of a model may have where a price is set for it. */
const maxModelNameLength = 4_096;

/**
 * Checks the open values of a start, an end, a whole call or whatever else SDKs send: how deep they are, and
 * whether the model names of `summary.usage` can be stored.
 */
export function freeFormJsonIssues(value: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(value)) return [];
  return [...nestingIssues(value, at), ...modelNameIssues(value['summary'], [...at, 'summary'])];
}

function nestingIssues(value: Readonly<Record<string, unknown>>, at: Location): ValidationIssue[] {
  return openFields
    .filter((field) => isDeeperThan(maxLevels, value[field]))
    .map((field) => ({
      loc: [...at, field],
      msg: `Input should be nested at most ${String(maxLevels)} levels deep`,
      type: 'recursion_loop',
    }));
}

/** Recurses no deeper than `levels`, whatever it is given. */
function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((entry) => isDeeperThan(levels - 1, entry));
  for (const name in value) {
    if (isDeeperThan(levels - 1, (value as Record<string, unknown>)[name])) return true;
  }
  return false;
}

function modelNameIssues(summary: unknown, at: Location): ValidationIssue[] {
  const usage = isRecord(summary) ? summary['usage'] : undefined;
  if (!isRecord(usage)) return [];
  return Object.keys(usage).flatMap((model) => {
    const loc = [...at, 'usage', model, '[key]'];
    if (hasLoneSurrogate(model)) return [{ loc, ...unicodeWords }];
    if (model.length <= maxModelNameLength) return [];
    const msg = `String should have at most ${String(maxModelNameLength)} characters`;
    return [{ loc, msg, type: 'string_too_long' }];
  });
}
