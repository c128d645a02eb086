import type { RequestHandler } from 'express';
import type { Engine } from '../engine/engine.ts';
import type { Fault } from '../errors.ts';
import type { LearnModels } from '../prices/learn-models.ts';
import type { SharingLimits } from '../usage/shared-reading.ts';
import { type CallsUsageRequest, createUsage } from '../usage/usage.ts';
import { requireProjects, requireRight } from './auth.ts';
import { readJsonBody } from './body.ts';
import type { CountPriced } from './metrics.ts';
import type { OpenApi } from './openapi.ts';
import { hangUpSignal } from './request-context.ts';
import type { Route } from './route.ts';
import { hasLoneSurrogate, unicodeWords } from './unicode.ts';
import { isRecord, type Location } from './validation.ts';

interface UsageRouteOptions {
  readonly engine: Engine;
  readonly openApi: OpenApi;
  readonly bodyLimitBytes: number;
  readonly usageSharing: SharingLimits;
  readonly learnModels: LearnModels;
  readonly countPriced: CountPriced;
}

/** The question. */
export function usageRoutes(options: UsageRouteOptions): Route[] {
  return [
    {
      method: 'post',
      path: '/calls/usage',
      handlers: [requireRight('read'), ...readJsonBody(options.bodyLimitBytes), askUsage(options)],
    },
  ];
}

function askUsage(options: UsageRouteOptions): RequestHandler {
  const { engine, openApi, usageSharing, learnModels, countPriced } = options;
  const checker = openApi.checkerOf<CallsUsageRequest>('CallsUsageReq', usageFaults);
  const answerCallsUsage = createUsage(engine, usageSharing, learnModels, countPriced);
  return async (request, response) => {
    const asked = checker.parse(request.body, ['body']);
    requireProjects(response, [asked.project_id]);
    // The contract has no upper bound; ClickHouse's 64 bits do, and nobody has that many calls.
    const limit = Math.min(asked.limit, Number.MAX_SAFE_INTEGER);
    const answer = await answerCallsUsage({ ...asked, limit }, hangUpSignal(response));
    response.type('json').send(answer);
  };
}

/** What must hold beside the contract's schema, which is taken word for word. */
function usageFaults(value: unknown, at: Location): Fault[] {
  if (!isRecord(value)) return [];
  const { project_id, call_ids, limit } = value;
  const faults: Fault[] = isLone(project_id)
    ? [{ loc: [...at, 'project_id'], ...unicodeWords }]
    : [];
  if (Array.isArray(call_ids)) faults.push(...loneIdFaults(call_ids, [...at, 'call_ids']));
  if (Number.isInteger(limit) && (limit as number) < 1) {
    const msg = 'Input should be greater than or equal to 1';
    faults.push({ loc: [...at, 'limit'], msg, type: 'greater_than_equal' });
  }
  return faults;
}

/** Wrong ids that are told one by one. */
const maxReported = 1_000;

function loneIdFaults(ids: readonly unknown[], at: Location): Fault[] {
  const faults: Fault[] = [];
  for (const [index, id] of ids.entries()) {
    if (isLone(id)) faults.push({ loc: [...at, index], ...unicodeWords });
    if (faults.length === maxReported) break;
  }
  return faults;
}

function isLone(value: unknown): boolean {
  return typeof value === 'string' && hasLoneSurrogate(value);
}
