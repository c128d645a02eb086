import { describe, expect, test } from 'vitest';
import { readOpenApi } from '../../../src/http/validation/openapi.ts';
import {
  jsonEndpointsOf,
  toRequestCases,
  type Document,
} from '../../support/http/request-cases.ts';
import { serviceFixture } from '../../support/fixtures.ts';
import type { TestAnswer } from '../../support/http/service.ts';
import { validationIssuesOf } from '../../support/http/validation-issues.ts';

const document = readOpenApi(new URL('../../../openapi/', import.meta.url))
  .document as unknown as Document;

/** The endpoints that take JSON; the one with two kinds of items twice, once with each kind. */
const endpoints = jsonEndpointsOf(document).flatMap(({ template, path, schema }) => {
  const itemKinds = template === '/call/upsert_batch' ? 2 : 1;
  return Array.from({ length: itemKinds }, (_, kind) => ({
    path,
    name: itemKinds > 1 ? `${template} (item kind ${String(kind)})` : template,
    cases: toRequestCases(document, schema, kind),
  }));
});

const service = serviceFixture();

test('the validation of every endpoint that takes JSON is tested', () => {
  expect(endpoints.map(({ name }) => name)).toEqual([
    '/calls/usage',
    '/usage/explain',
    '/calls/stats',
    '/calls/stream_query',
    '/calls/query_stats',
    '/call/read',
    '/trace/usage',
    '/traces/query',
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
    '/feedback/batch/create',
    '/call/update',
    '/graphql',
    '/cost/create',
    '/cost/preview',
    '/cost/query',
    '/cost/purge',
    '/cost/unpriced',
    '/cost/resolve',
  ]);
});

describe.each(endpoints)('$name', ({ path, cases }) => {
  test.each(cases.invalid.map((each) => [each.what, each.type, each] as const))(
    'refuses %s as %s',
    async (_what, type, { body, loc }) => {
      const answer = await service.send(path, { body: JSON.stringify(body) });

      const issues = validationIssuesOf(answer);
      expect(issues.map(({ loc, type }) => ({ loc, type }))).toEqual([
        { loc: ['body', ...loc], type },
      ]);
      expect(issues[0]?.msg).toBe(expectedMessage(type, issues[0]?.msg));
    },
  );

  const valid = [{ what: 'every field', body: cases.example }, ...cases.valid];
  test.each(valid.map((each) => [each.what, each] as const))(
    'accepts %s',
    async (_what, { body }) => {
      const answer = await service.send(path, { body: JSON.stringify(body) });

      expect(isAccepted(answer), answer.text).toBe(true);
    },
  );
});

/** Whether a request passed validation: ClickHouse is unavailable, and only SDK stubs answer without it. */
function isAccepted(answer: TestAnswer): boolean {
  return answer.status === 503 || /^\{(\}|"(digest|id|ids|rows|res|errors)":)/.test(answer.text);
}

/** The message of pydantic; messages with numbers are matched with a pattern only. */
function expectedMessage(type: string, actual = ''): string {
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
  const patterns: Readonly<Record<string, RegExp>> = {
    string_too_long: /^String should have at most \d+ characters$/,
    too_long: /^(List|Dictionary) should have at most \d+ items? after validation, not \d+$/,
    greater_than_equal: /^Input should be greater than or equal to -?\d+$/,
    less_than_equal:
      /^Input should be less than or equal to (\d+|0\.01: prices are in USD per token, not per million)$/,
    literal_error: /^Input should be '\w+'(, '\w+')*( or '\w+')?$/,
    value_error: /^Value error, /,
    datetime_parsing: /^Input should be a valid (date or a valid )?datetime, /,
  };
  return exact[type] ?? (patterns[type]?.test(actual) === true ? actual : `message of ${type}`);
}
