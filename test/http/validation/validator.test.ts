import { describe, expect, test } from 'vitest';
import type { ValidationIssue } from '../../../src/errors.ts';
import { readOpenApi } from '../../../src/http/validation/openapi.ts';
import { toRequestCases, type Document } from '../../support/request-cases.ts';
import { type TestAnswer } from '../../support/service.ts';
import { serviceFixture } from '../../support/fixtures.ts';

const document = readOpenApi(new URL('../../../openapi/', import.meta.url))
  .document as unknown as Document;

/** Endpoints that take JSON; one with items of several kinds is there once for each. */
const endpoints = Object.entries(document.paths).flatMap(([path, methods]) => {
  const schema = methods['post']?.requestBody?.content['application/json']?.schema;
  if (schema === undefined) return [];
  const kinds = path === '/call/upsert_batch' ? 2 : 1;
  return Array.from({ length: kinds }, (_, kind) => ({
    path: path.replace('{entity}', 'entity').replace('{project}', 'project'),
    name: kinds > 1 ? `${path} (item kind ${String(kind)})` : path,
    cases: toRequestCases(document, schema, kind),
  }));
});

const service = serviceFixture();

test('every endpoint that takes JSON is tried', () => {
  expect(endpoints.map(({ name }) => name)).toEqual([
    '/calls/usage',
    '/call/start',
    '/call/end',
    '/call/upsert_batch (item kind 0)',
    '/call/upsert_batch (item kind 1)',
    '/v2/{entity}/{project}/calls/complete',
    '/v2/{entity}/{project}/call/start',
    '/v2/{entity}/{project}/call/end',
    '/calls/delete',
    '/obj/create',
    '/table/create',
    '/table/query',
    '/feedback/create',
    '/call/update',
    '/cost/create',
    '/cost/query',
    '/cost/purge',
    '/cost/unpriced',
    '/cost/resolve',
  ]);
});

describe.each(endpoints)('$name', ({ path, cases }) => {
  test.each(cases.wrong.map((each) => [each.what, each.type, each] as const))(
    'refuses %s as %s',
    async (_what, type, { body, loc }) => {
      const answer = await service.send(path, { body: JSON.stringify(body) });

      const issues = faultsOf(answer);
      expect(issues.map(({ loc, type }) => ({ loc, type }))).toEqual([
        { loc: ['body', ...loc], type },
      ]);
      expect(issues[0]?.msg).toBe(words(type, issues[0]?.msg));
    },
  );

  const right = [{ what: 'every field', body: cases.example }, ...cases.right];
  test.each(right.map((each) => [each.what, each] as const))(
    'takes %s',
    async (_what, { body }) => {
      const answer = await service.send(path, { body: JSON.stringify(body) });

      expect(isTaken(answer), answer.text).toBe(true);
    },
  );
});

/** Faults of the whole request, or of the one item of a batch that was dropped. */
function faultsOf(answer: TestAnswer): readonly ValidationIssue[] {
  const body = answer.json() as {
    detail?: ValidationIssue[];
    dropped?: { detail: ValidationIssue[] }[];
  };
  expect(answer.status).toBe(body.dropped === undefined ? 422 : 200);
  return body.detail ?? body.dropped?.[0]?.detail ?? [];
}

/** Whether a request got as far as the engine, which is away; what is not stored is answered without it. */
function isTaken(answer: TestAnswer): boolean {
  return answer.status === 503 || /^\{(\}|"(digest|id|ids|rows)":)/.test(answer.text);
}

/** pydantic's own words; of what holds a number only the form. */
function words(type: string, actual = ''): string {
  const exact: Readonly<Record<string, string>> = {
    missing: 'Field required',
    extra_forbidden: 'Extra inputs are not permitted',
    string_type: 'Input should be a valid string',
    string_unicode: 'Input should be a valid string, unable to parse raw data as a unicode string',
    int_type: 'Input should be a valid integer',
    int_from_float: 'Input should be a valid integer, got a number with a fractional part',
    float_type: 'Input should be a valid number',
    bool_type: 'Input should be a valid boolean',
    list_type: 'Input should be a valid list',
    dict_type: 'Input should be a valid dictionary',
    model_attributes_type: 'Input should be a valid dictionary or object to extract fields from',
    datetime_type: 'Input should be a valid datetime',
    string_too_short: 'String should have at least 1 character',
  };
  const forms: Readonly<Record<string, RegExp>> = {
    string_too_long: /^String should have at most \d+ characters$/,
    too_long: /^(List|Dictionary) should have at most \d+ items after validation, not \d+$/,
    greater_than_equal: /^Input should be greater than or equal to -?\d+$/,
    less_than_equal: /^Input should be less than or equal to \d+$/,
    literal_error: /^Input should be '\w+'(, '\w+')*( or '\w+')?$/,
    datetime_parsing: /^Input should be a valid datetime, /,
  };
  return exact[type] ?? (forms[type]?.test(actual) === true ? actual : `words of ${type}`);
}
