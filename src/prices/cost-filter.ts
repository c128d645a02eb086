import type { CostComparison, CostExpression, CostMembership } from '../openapi-types.ts';
import { toEffectiveDate } from './effective-date.ts';
import type { Cost } from './query-costs.ts';

type Value = string | number | boolean | null;

/** Evaluates an expression for a price. */
export type CostFilter = (cost: Cost) => Value;

/** Converts an expression that is valid against `CostExpression` of openapi/service.openapi.yaml. */
export function toCostFilter(expression: CostExpression): CostFilter {
  const { $and, $or, $not, $eq, $gt, $gte, $in, $getField, $literal = null } = expression;
  if ($and !== undefined) {
    const filters = $and.map(toCostFilter);
    return (cost) => filters.every((filter) => filter(cost) === true);
  }
  if ($or !== undefined) {
    const filters = $or.map(toCostFilter);
    return (cost) => filters.some((filter) => filter(cost) === true);
  }
  if ($not !== undefined) {
    const filter = toCostFilter($not[0]);
    return (cost) => filter(cost) !== true;
  }
  if ($eq !== undefined) return toComparison($eq, (left, right) => left === right);
  if ($gt !== undefined) return toComparison($gt, isGreater);
  if ($gte !== undefined) return toComparison($gte, isGreaterOrEqual);
  if ($in !== undefined) return toMembership($in);
  return $getField === undefined ? () => $literal : (cost) => cost[$getField];
}

function toComparison(
  [left, right]: CostComparison,
  compare: (left: Value, right: Value) => boolean,
): CostFilter {
  const leftFilter = toCostFilter(isEffectiveDate(right) ? withTime(left) : left);
  const rightFilter = toCostFilter(isEffectiveDate(left) ? withTime(right) : right);
  return (cost) => compare(leftFilter(cost), rightFilter(cost));
}

function toMembership([operand, list]: CostMembership): CostFilter {
  const filter = toCostFilter(operand);
  const listFilters = (isEffectiveDate(operand) ? list.map(withTime) : list).map(toCostFilter);
  return (cost) => listFilters.some((listFilter) => listFilter(cost) === filter(cost));
}

/** Values of different types are not ordered, nor is null. */
function isGreater(left: Value, right: Value): boolean {
  return left !== null && right !== null && typeof left === typeof right && left > right;
}

function isGreaterOrEqual(left: Value, right: Value): boolean {
  return isGreater(left, right) || (left !== null && left === right);
}

function isEffectiveDate({ $getField }: CostExpression): boolean {
  return $getField === 'effective_date';
}

/** Writes a literal as `Cost.effective_date` is written, so that equal instants are equal strings. */
function withTime(operand: CostExpression): CostExpression {
  if (typeof operand.$literal !== 'string') return operand;
  const time = toEffectiveDate(operand.$literal);
  return time === undefined ? operand : { $literal: `${time.replace(' ', 'T')}Z` };
}
