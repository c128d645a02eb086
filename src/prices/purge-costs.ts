import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { CostExpression } from '../openapi-types.ts';

/** Deletes prices of a project; ids that the project does not have are ignored. */
export async function purgeCosts(
  clickhouse: ClickHouse,
  projectId: string,
  costIds: readonly string[],
): Promise<void> {
  await clickhouse.write('purge_costs', { project_id: projectId, cost_ids: costIds });
}

/** @returns the ids that an expression selects; undefined unless it consists of `$eq`, `$in` and `$or` over `id` */
export function toCostIds({ $eq, $in, $or }: CostExpression): string[] | undefined {
  if ($or !== undefined) {
    const ids = $or.map(toCostIds);
    return ids.length === 0 || ids.includes(undefined)
      ? undefined
      : ids.flatMap((each) => each ?? []);
  }
  if ($eq !== undefined) return toLiteralIds($eq[0], [$eq[1]]);
  return $in === undefined ? undefined : toLiteralIds(...$in);
}

function toLiteralIds(
  field: CostExpression,
  operands: readonly CostExpression[],
): string[] | undefined {
  if (field.$getField !== 'id') return undefined;
  const ids = operands.map(({ $literal }) => $literal);
  return ids.every((id) => typeof id === 'string') ? ids : undefined;
}
