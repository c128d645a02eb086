import type { ValidateFunction } from 'ajv';
import { namesOf } from '../../slices/parse-json.ts';
import { apiErrors } from '../api-errors.ts';
import { type Location, toIssue, type ValidationIssue } from './issues.ts';
import { toIssues } from './schema-issues.ts';

/** Validates values against one schema of the OpenAPI documents. */
export interface Validator<T> {
  /** All issues of a value; a value without any is a `T`. */
  findIssues(value: unknown, at: Location): ValidationIssue[];
  /**
   * @returns the value, defaults filled in
   * @throws {ApiError} 422 with all issues
   */
  parse(value: unknown, at: Location): T;
}

/** Validates what a schema cannot express. The value may violate the schema. */
export type ExtraValidation = (value: unknown, at: Location) => ValidationIssue[];

/** One schema, compiled twice. */
export interface Compiled {
  /** Stops at the first error, so that hostile input costs no more than valid input. */
  readonly first: ValidateFunction;
  /** Collects all errors. */
  readonly all: ValidateFunction;
}

/** Entries of a list or object in which all errors are collected; a body with more members has unknown ones. */
const detailedEntries = 10_000;

/** @param sizeValidation runs first; a value that it refuses is too large or too deep to be validated further */
export function createValidator<T>(
  compiled: Compiled,
  extraValidation?: ExtraValidation,
  sizeValidation?: ExtraValidation,
): Validator<T> {
  const findIssues = (value: unknown, at: Location): ValidationIssue[] => {
    if (value === undefined || (value === null && at.length === 1)) {
      return [toIssue('missing', at)];
    }
    // ajv lists the members of an object several times, and takes 50 ms each time for 300,000.
    if (isHuge(value)) return [tooManyMembers(value, at, detailedEntries)];
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
 * ajv does not limit how many errors it collects: thirty million invalid ids in one body would take all memory. So all
 * errors are collected only in the first entries of each list; beyond them, and in huge objects, only the first one.
 */
function schemaIssues({ first, all }: Compiled, value: unknown, at: Location): ValidationIssue[] {
  if (first(value)) return [];
  const issues = toIssues(first.errors ?? [], value, at);
  if (isRecord(value) && Object.values(value).some(isHuge)) return issues;
  const shortened = shortenLists(value);
  if (all(shortened)) return issues;
  return [...toIssues(all.errors ?? [], shortened, at), ...issues];
}

/** Whether an object has more members than are looked at one by one. */
export function isHuge(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && namesOf(value).length > detailedEntries;
}

export function tooManyMembers(value: object, at: Location, maximum: number): ValidationIssue {
  const actual = namesOf(value).length;
  return toIssue('too_long', at, { what: 'Dictionary', maximum, actual });
}

function shortenLists(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([name, entry]) => [
    name,
    Array.isArray(entry) ? entry.slice(0, detailedEntries) : entry,
  ]);
  return Object.fromEntries(entries) as unknown;
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
