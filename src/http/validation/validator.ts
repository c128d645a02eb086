import type { ValidateFunction } from 'ajv';
import { apiErrors } from '../api-errors.ts';
import { type Location, toIssue, type ValidationIssue } from './issues.ts';
import { toIssues } from './schema-issues.ts';

/** Checks values against one schema of the OpenAPI documents. */
export interface Validator<T> {
  /** Every fault of a value, each once; a value without any is a `T`. */
  findIssues(value: unknown, at: Location): ValidationIssue[];
  /**
   * @returns the value, defaults filled in
   * @throws {ApiError} 422 with every fault
   */
  parse(value: unknown, at: Location): T;
}

/** What a schema cannot say; it gets any value, also one that is against the schema. */
export type ExtraValidation = (value: unknown, at: Location) => ValidationIssue[];

/** The same schema compiled twice. */
export interface Compiled {
  /** Stops at the first fault, so that hostile input costs no more than good input. */
  readonly first: ValidateFunction;
  /** Goes on to the last fault. */
  readonly all: ValidateFunction;
}

/** Entries of a list or a map that are looked at for more than the first fault. */
const detailedEntries = 10_000;

/**
 * Makes a checker of a compiled schema and of what else must hold.
 * @param sizeValidation runs first; a value that it refuses is too large or too deep to be validated further
 */
export function createValidator<T>(
  compiled: Compiled,
  extraValidation?: ExtraValidation,
  sizeValidation?: ExtraValidation,
): Validator<T> {
  const findIssues = (value: unknown, at: Location): ValidationIssue[] => {
    if (value === undefined || (value === null && at.length === 1)) {
      return [toIssue('missing', at)];
    }
    const sizeIssues = sizeValidation?.(value, at) ?? [];
    if (sizeIssues.length > 0) return sizeIssues;
    return distinct([
      ...schemaIssues(compiled, value, at),
      ...(extraValidation?.(value, at) ?? []),
    ]);
  };
  const parse = (value: unknown, at: Location): T => {
    const issues = findIssues(value, at);
    if (issues.length > 0) throw apiErrors.invalid(issues);
    return value as T;
  };
  return { findIssues, parse };
}

/**
 * Nothing bounds how many faults ajv collects: thirty million wrong ids in one body would take all memory.
 * So every fault is looked for in the first entries of each list only; beyond them, and in huge maps, the
 * first fault has to do.
 */
function schemaIssues({ first, all }: Compiled, value: unknown, at: Location): ValidationIssue[] {
  if (first(value)) return [];
  const issues = toIssues(first.errors ?? [], value, at);
  if (isCrowded(value) || (isRecord(value) && Object.values(value).some(isCrowded))) return issues;
  const part = withShortLists(value);
  if (all(part)) return issues;
  return [...toIssues(all.errors ?? [], part, at), ...issues];
}

function isCrowded(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length > detailedEntries;
}

function withShortLists(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const shortened = Object.entries(value).map(([name, entry]) => [
    name,
    Array.isArray(entry) ? entry.slice(0, detailedEntries) : entry,
  ]);
  return Object.fromEntries(shortened) as unknown;
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function distinct(issues: readonly ValidationIssue[]): ValidationIssue[] {
  const byIdentity = new Map<string, ValidationIssue>();
  for (const issue of issues) {
    const identity = JSON.stringify([issue.loc, issue.type]);
    if (!byIdentity.has(identity)) byIdentity.set(identity, issue);
  }
  return [...byIdentity.values()];
}
