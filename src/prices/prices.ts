import type { Engine } from '../engine/engine.ts';

/** One price of POST /cost/create, valid against `CostCreateInput` of openapi/service.openapi.yaml; USD per token. */
export interface CostCreateInput {
  readonly prompt_token_cost: number;
  readonly completion_token_cost: number;
  readonly cache_read_input_token_cost?: number | null;
  readonly cache_creation_input_token_cost?: number | null;
  readonly prompt_token_cost_unit?: string | null;
  readonly completion_token_cost_unit?: string | null;
  readonly effective_date?: string | null;
  readonly provider_id?: string | null;
}

/**
 * Stores prices of a project as one insert.
 * @param costs from llm_id to its price
 * @returns [cost id, llm_id] for each, in the order given
 */
export function createCosts(
  _engine: Engine,
  _projectId: string,
  _costs: ReadonlyMap<string, CostCreateInput>,
  _createdBy: string,
): Promise<[string, string][]> {
  throw new Error('not written yet');
}
