import { type Location, toIssue, type ValidationIssue } from './issues.ts';
import { type ExtraValidation, isHuge, isRecord, tooManyMembers } from './validator.ts';

const maxLevels = 32;

/**
 * Limits that are checked before the schema, by the name of the request's schema. The schema of expressions is recursive,
 * and on a deep one ajv runs out of stack; of prices, which may be 300,000, ajv lists the names several times.
 */
export const sizeValidations: Readonly<Record<string, ExtraValidation | undefined>> = {
  CostQueryReq: (value, at) => expressionSizeIssues(value, at, 1_000),
  CostPurgeReq: (value, at) => expressionSizeIssues(value, at, 20_000),
  CostCreateReq: costsIssues,
  CostPreviewReq: costsIssues,
  FeedbackCreateBatchReq: (value, at) => {
    const batch = isRecord(value) ? value['batch'] : undefined;
    if (!Array.isArray(batch) || batch.length <= maxFeedback) return [];
    const limit = { what: 'List', maximum: maxFeedback, actual: batch.length } as const;
    return [toIssue('too_long', [...at, 'batch'], limit)];
  },
};

/** As in the schema, which would list the issues of all entries, too. */
const maxFeedback = 1_000;

/** As in the schema, which reports fewer than those that are huge. */
const maxCosts = 1_000;

function costsIssues(value: unknown, at: Location): ValidationIssue[] {
  const costs = isRecord(value) ? value['costs'] : undefined;
  return isHuge(costs) ? [tooManyMembers(costs, [...at, 'costs'], maxCosts)] : [];
}

function expressionSizeIssues(
  value: unknown,
  at: Location,
  maxOperands: number,
): ValidationIssue[] {
  const query = isRecord(value) ? value['query'] : undefined;
  const expression = isRecord(query) ? query['$expr'] : undefined;
  if (isWithin(expression, maxOperands)) return [];
  return [toIssue('too_long', [...at, 'query', '$expr'], { maxLevels, maxOperands })];
}

/** Goes from level to level instead of recursing. Whatever is not an expression is left to the schema. */
function isWithin(expression: unknown, maxOperands: number): boolean {
  let level = [expression];
  let operands = 0;
  for (let depth = 0; depth <= maxLevels; depth += 1) {
    operands += level.length;
    if (operands > maxOperands) return false;
    level = level.flatMap(operandsOf);
    if (level.length === 0) return true;
  }
  return false;
}

/** The second operand of `$in` is a list of operands itself. */
function operandsOf(expression: unknown): unknown[] {
  if (!isRecord(expression)) return [];
  return Object.values(expression).flatMap((operands) =>
    Array.isArray(operands) ? (operands as unknown[]).flat() : [],
  );
}
