import { expect } from 'vitest';
import type { ValidationIssue } from '../../../src/http/validation/issues.ts';
import type { TestAnswer } from './service.ts';

/** The validation issues of a refused request (422), or of the items that a batch dropped (200). */
export function validationIssuesOf(answer: TestAnswer): readonly ValidationIssue[] {
  const body = answer.json() as {
    readonly detail?: readonly ValidationIssue[];
    readonly dropped?: readonly { readonly detail: readonly ValidationIssue[] }[];
  };
  expect(answer.status, answer.text.slice(0, 1_000)).toBe(body.dropped === undefined ? 422 : 200);
  return body.detail ?? body.dropped?.flatMap(({ detail }) => detail) ?? [];
}

/** Location and type of each validation issue, such as `body.limit int_type`. */
export function issueTypesOf(answer: TestAnswer): string[] {
  return validationIssuesOf(answer).map(({ loc, type }) => `${loc.join('.')} ${type}`);
}
