import type { components } from '../../openapi-types.ts';
import { toEffectiveDate } from '../../prices/effective-date.ts';
import { namesOf } from '../../slices/parse-json.ts';
import { TimeQueryError, toTimeRanges } from '../../usage/lists/time-query.ts';
import { type Location, toIssue, type ValidationIssue } from './issues.ts';
import { type ExtraValidation, isRecord } from './validator.ts';

/** Rules of a request that its schema cannot express, or that the contract, which stays as it is, does not have. */
export const extraValidations: Readonly<
  Partial<Record<keyof components['schemas'], ExtraValidation>>
> = {
  CallsUsageReq: usageIssues,
  CallStartReq: within(['start'], freeFormJsonIssues),
  CallEndReq: within(['end'], freeFormJsonIssues),
  CallBatchStartMode: within(['req', 'start'], freeFormJsonIssues),
  CallBatchEndMode: within(['req', 'end'], freeFormJsonIssues),
  CompletedCallSchemaForInsert: freeFormJsonIssues,
  ObjCreateReq: within(['obj'], freeFormJsonIssues),
  TableCreateReq: within(['table'], freeFormJsonIssues),
  FeedbackCreateReq: freeFormJsonIssues,
  FeedbackCreateBatchReq: ofItems('batch', freeFormJsonIssues),
  CostCreateReq: within(['costs'], minuteRangeIssues),
  CostPreviewReq: (value, at) => [
    ...windowIssues(value, at),
    ...within(['costs'], minuteRangeIssues)(value, at),
  ],
  CallStatsReq: statsIssues,
  UsageExportQuery: exportIssues,
  CallsQueryReq: timeQueryIssues,
  CallsQueryStatsReq: timeQueryIssues,
  TraceUsageReq: timeQueryIssues,
  TracesQueryReq: tracesIssues,
};

/** Whether a string is not well-formed Unicode, so that it cannot be encoded in UTF-8. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** Applies a validation to a nested value. */
function within(path: readonly string[], validate: ExtraValidation): ExtraValidation {
  return (value, at) => {
    let nested = value;
    for (const name of path) nested = isRecord(nested) ? nested[name] : undefined;
    return validate(nested, [...at, ...path]);
  };
}

/** Applies a validation to each item of a list. */
function ofItems(name: string, validate: ExtraValidation): ExtraValidation {
  return (value, at) => {
    const items = isRecord(value) ? value[name] : undefined;
    if (!Array.isArray(items)) return [];
    return items.flatMap((item: unknown, index) => validate(item, [...at, name, index]));
  };
}

function usageIssues(value: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(value)) return [];
  const { project_id, call_ids, limit } = value;
  const issues = unicodeIssues(project_id, [...at, 'project_id']);
  if (Array.isArray(call_ids)) issues.push(...callIdIssues(call_ids, [...at, 'call_ids']));
  if (Number.isInteger(limit) && (limit as number) < 1) {
    issues.push(toIssue('greater_than_equal', [...at, 'limit'], 1));
  }
  return issues;
}

/** Of each price, the ranges of minutes that end before they start. */
function minuteRangeIssues(costs: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(costs)) return [];
  return Object.entries(costs).flatMap(([model, cost]) => {
    const ranges = isRecord(cost) ? cost['minutes_of_week'] : undefined;
    if (!Array.isArray(ranges)) return [];
    return ranges.flatMap((range: unknown, index) => {
      if (!isRecord(range)) return [];
      const [start, end] = [range['start'], range['end']];
      if (typeof start !== 'number' || typeof end !== 'number' || start < end) return [];
      return [
        toIssue('value_error', [...at, model, 'minutes_of_week', index, 'end'], 'minuteRange'),
      ];
    });
  });
}

function statsIssues(value: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(value)) return [];
  const { group_by, usage_metrics } = value;
  const issues = windowIssues(value, at);
  if (Array.isArray(group_by) && group_by.length === 2 && group_by[0] === group_by[1]) {
    issues.push(toIssue('value_error', [...at, 'group_by'], 'groupTwice'));
  }
  if (Array.isArray(usage_metrics)) {
    for (const [index, spec] of usage_metrics.slice(0, maxReportedIds).entries()) {
      issues.push(...costAggregationIssues(spec, [...at, 'usage_metrics', index]));
    }
  }
  return issues;
}

function exportIssues(value: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(value)) return [];
  const { project, group_by, bucket, format } = value;
  const issues = windowIssues(value, at);
  for (const [index, each] of (Array.isArray(project) ? project : []).entries()) {
    if (typeof each !== 'string' || !each.includes('*') || /^([^*]+\/)?\*$/.test(each)) continue;
    issues.push(toIssue('value_error', [...at, 'project', index], 'projectPattern'));
  }
  if (Array.isArray(group_by)) {
    const others = group_by.filter((name) => name !== 'model');
    if (others.length > 2) {
      const limit = { what: 'List' as const, maximum: 2, actual: others.length };
      issues.push(toIssue('too_long', [...at, 'group_by'], limit));
    }
    if (new Set(group_by).size < group_by.length) {
      issues.push(toIssue('value_error', [...at, 'group_by'], 'groupTwice'));
    }
  }
  if (format === 'focus' && typeof bucket === 'number' && 86_400 % bucket !== 0) {
    issues.push(toIssue('value_error', [...at, 'bucket'], 'focusBucket'));
  }
  return issues;
}

function tracesIssues(value: unknown, at: Location): ValidationIssue[] {
  const issues = windowIssues(value, at);
  if (!isRecord(value) || value['include_costs'] !== false) return issues;
  const { sort_by } = value;
  if (isRecord(sort_by) && sort_by['field'] === 'cost') {
    issues.push(toIssue('value_error', [...at, 'sort_by', 'field'], 'sortByCost'));
  }
  return issues;
}

/** Times that are invalid by themselves are left to the schema. */
function windowIssues(value: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(value)) return [];
  const [start, end] = [value['start'], value['end'] ?? new Date().toISOString()].map((time) =>
    typeof time === 'string' ? toEffectiveDate(time) : undefined,
  );
  // Both have one format and are in UTC, so their order is that of texts.
  if (start === undefined || end === undefined || start <= end) return [];
  return [toIssue('value_error', [...at, 'end'], 'window')];
}

/** A `query` of a list that is not one on times; one that is no object is left to the schema. */
function timeQueryIssues(value: unknown, at: Location): ValidationIssue[] {
  const query = isRecord(value) ? value['query'] : undefined;
  if (!isRecord(query) || !isRecord(query['$expr'])) return [];
  try {
    toTimeRanges(query['$expr']);
    return [];
  } catch (error) {
    if (!(error instanceof TimeQueryError)) throw error;
    return [toIssue('query_unsupported', [...at, 'query', '$expr', ...error.path], error.message)];
  }
}

const costAggregations: readonly unknown[] = ['sum', 'avg', 'count'];

function costAggregationIssues(spec: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(spec)) return [];
  const { metric, aggregations, percentiles } = spec;
  if (typeof metric !== 'string' || !metric.endsWith('_cost')) return [];
  const others = (list: unknown, allowed: readonly unknown[]): boolean =>
    Array.isArray(list) && list.some((each) => !allowed.includes(each));
  return [
    ...(others(aggregations, costAggregations) ? ['aggregations'] : []),
    ...(others(percentiles, []) ? ['percentiles'] : []),
  ].map((name) => toIssue('value_error', [...at, name], 'costAggregation'));
}

/** How many invalid ids of one request are reported. */
const maxReportedIds = 1_000;

function callIdIssues(ids: readonly unknown[], at: Location): ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  for (const [index, id] of ids.entries()) {
    issues.push(...unicodeIssues(id, [...at, index]));
    if (issues.length === maxReportedIds) break;
  }
  return issues;
}

function unicodeIssues(value: unknown, at: Location): ValidationIssue[] {
  return typeof value === 'string' && hasLoneSurrogate(value)
    ? [toIssue('string_unicode', at)]
    : [];
}

/** JSON.stringify overflows its stack beyond some 5,000 levels, ClickHouse's JSON parser stops at 1,024. */
const maxNestingLevels = 500;

/** Fields that hold free-form JSON. */
const freeFormFields = [
  'attributes',
  'inputs',
  'output',
  'summary',
  'otel_dump',
  'val',
  'rows',
  'payload',
];

/** The same limit as for the model name of a price. */
const maxModelNameLength = 4_096;

/** Limits how deep free-form JSON is nested, and which model names `summary.usage` has. */
function freeFormJsonIssues(value: unknown, at: Location): ValidationIssue[] {
  if (!isRecord(value)) return [];
  return [...nestingIssues(value, at), ...modelNameIssues(value['summary'], [...at, 'summary'])];
}

/** The issues of free-form fields that are nested too deep. */
export function nestingIssues(
  value: Readonly<Record<string, unknown>>,
  at: Location,
): ValidationIssue[] {
  return freeFormFields
    .filter((field) => isDeeperThan(maxNestingLevels, value[field]))
    .map((field) => toIssue('recursion_loop', [...at, field], maxNestingLevels));
}

/** Recurses at most `levels` deep, so that no input overflows the stack. */
function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((entry) => isDeeperThan(levels - 1, entry));
  for (const name of namesOf(value)) {
    if (isDeeperThan(levels - 1, (value as Record<string, unknown>)[name])) return true;
  }
  return false;
}

function modelNameIssues(summary: unknown, at: Location): ValidationIssue[] {
  const usage = isRecord(summary) ? summary['usage'] : undefined;
  if (!isRecord(usage)) return [];
  return Object.keys(usage).flatMap((model) => {
    const loc = [...at, 'usage', model, '[key]'];
    if (hasLoneSurrogate(model)) return [toIssue('string_unicode', loc)];
    if (model.length <= maxModelNameLength) return [];
    return [toIssue('string_too_long', loc, maxModelNameLength)];
  });
}
