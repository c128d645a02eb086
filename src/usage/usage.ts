import type { Engine } from '../engine/engine.ts';

/** `CallsUsageReq` of the contract, defaults filled in. */
export interface CallsUsageRequest {
  readonly project_id: string;
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
  readonly limit: number;
}

/**
 * Answers POST /calls/usage: tokens and, where asked for, costs per model for each requested call, its
 * descendants included.
 *
 * @returns the JSON text of a `CallsUsageRes`; text because token sums may exceed what a JavaScript number holds.
 * @throws {ApiError} 422 when the request touches more calls than its `limit`.
 */
export function answerCallsUsage(
  _engine: Engine,
  _request: CallsUsageRequest,
  _signal: AbortSignal,
): Promise<string> {
  throw new Error('not written yet');
}
