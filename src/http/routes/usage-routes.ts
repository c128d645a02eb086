import type { RequestHandler } from 'express';
import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import type { ValidationIssue } from '../../errors.ts';
import type { ResolveAliases } from '../../prices/resolve-aliases.ts';
import type { CoalescingLimits } from '../../usage/coalesce-queries.ts';
import { type CallsUsageRequest, createUsage } from '../../usage/calls-usage.ts';
import { requireProjects, requireScope } from '../auth/require-key.ts';
import { readJsonBody } from '../validation/json-body.ts';
import type { CountPriced } from '../metrics.ts';
import type { OpenApi } from '../validation/openapi.ts';
import { disconnectSignal } from '../context.ts';
import type { Route } from './route.ts';
import { hasLoneSurrogate, unicodeWords } from '../validation/unicode.ts';
import { isRecord, type Location } from '../validation/validator.ts';

interface UsageRouteOptions {
  readonly clickhouse: ClickHouse;
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
  readonly usageSharing: CoalescingLimits;
  readonly resolveAliases: ResolveAliases;
  readonly countPriced: CountPriced;
}

/** The question. */
export function usageRoutes(options: UsageRouteOptions): Route[] {
  return [
    {
      method: 'post',
      path: '/calls/usage',
      handlers: [requireScope('read'), ...readJsonBody(options.bodyLimitBytes), askUsage(options)],
    },
  ];
}

function askUsage(options: UsageRouteOptions): RequestHandler {
  const { clickhouse, openApi, usageSharing, resolveAliases, countPriced } = options;
  const validator = openApi.validatorOf<CallsUsageRequest>('CallsUsageReq', usageIssues);
  const answerCallsUsage = createUsage(clickhouse, usageSharing, resolveAliases, countPriced);
  return async (request, response) => {
    const asked = validator.parse(request.body, ['body']);
    requireProjects(response, [asked.project_id]);
    // The contract has no upper bound; ClickHouse's 64 bits do, and nobody has that many calls.
    const limit = Math.min(asked.limit, Number.MAX_SAFE_INTEGER);
    const answer = await answerCallsUsage({ ...asked, limit }, disconnectSignal(response));
    response.type('json').send(answer);
  };
}

/** What must hold beside the contract's schema, which is taken word for word. */
function usageIssues(value: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(value)) return [];
  const { project_id, call_ids, limit } = value;
  const issues: ValidationIssue[] = isLone(project_id)
    ? [{ loc: [...at, 'project_id'], ...unicodeWords }]
    : [];
  if (Array.isArray(call_ids)) issues.push(...loneIdIssues(call_ids, [...at, 'call_ids']));
  if (Number.isInteger(limit) && (limit as number) < 1) {
    const msg = 'Input should be greater than or equal to 1';
    issues.push({ loc: [...at, 'limit'], msg, type: 'greater_than_equal' });
  }
  return issues;
}

/** Wrong ids that are told one by one. */
const maxReported = 1_000;

function loneIdIssues(ids: readonly unknown[], at: Location): ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  for (const [index, id] of ids.entries()) {
    if (isLone(id)) issues.push({ loc: [...at, index], ...unicodeWords });
    if (issues.length === maxReported) break;
  }
  return issues;
}

function isLone(value: unknown): boolean {
  return typeof value === 'string' && hasLoneSurrogate(value);
}
