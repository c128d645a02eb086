import { pageOfOtelRoots } from '../project/otel-traces.ts';
import {
  largeSeries,
  pageOfRandomRoots,
  pageOfRoots,
  type Scale,
  toCallId,
} from '../project/scale.ts';
import type { Totals } from './client-side-roll-up.ts';

/** Calls whose usage is requested. */
export interface Scenario {
  readonly name: string;
  /** What is requested, in words. */
  readonly title: string;
  readonly ids: readonly string[];
  /** Whether the requested calls are roots and have own usage only, so that the flat sum must be the same. */
  readonly equalsFlatSum: boolean;
  /** Calls whose last part is stored once more before each run, so that their traces have changed a moment ago. */
  readonly changedIds?: readonly string[];
  /** Whether no SDK has rolled usage up, so that sums of stored usage must be the same. */
  readonly hasOwnUsageOnly: boolean;
  /** What was spent, if whoever made the calls knows it; ours must be the same. */
  readonly truth?: Totals;
}

const ownRoots = { equalsFlatSum: true, hasOwnUsageOnly: true };

/** Lists the scenarios in the order of the table. */
export function listScenarios(scale: Scale): readonly Scenario[] {
  const { large, evaluation, firstChain } = largeSeries;
  const evaluationRows = Array.from({ length: 100 }, (_, index) =>
    toCallId(evaluation, 0, index + 1),
  );
  const unknown = Array.from({ length: 10_000 }, (_, index) => `unknown-${index}`);
  return [
    ...listPages(scale),
    {
      name: 'inner_100',
      title: `100 inner calls of an evaluation of ${scale.evaluation.toLocaleString('en')}`,
      ids: evaluationRows,
      equalsFlatSum: false,
      hasOwnUsageOnly: true,
    },
    {
      name: 'trace_1m',
      title: `a trace of ${scale.largeTrace.toLocaleString('en')} calls`,
      ids: [toCallId(large, 0, 0)],
      ...ownRoots,
    },
    ...scale.chains.map((size, index) => ({
      name: `chain_${size}`,
      title: `a chain of ${size.toLocaleString('en')} calls`,
      ids: [toCallId(firstChain + index, 0, 0)],
      ...ownRoots,
    })),
    { name: 'unknown_10000', title: '10,000 unknown ids', ids: unknown, ...ownRoots },
  ];
}

function otelPage(): Scenario {
  return {
    name: 'page_100_otel',
    title: '100 traces × 100 spans; in half of the traces agents repeat usage',
    ...pageOfOtelRoots(100),
    equalsFlatSum: false,
    hasOwnUsageOnly: false,
  };
}

/** Pages of traces, as dashboards show them. */
function listPages(scale: Scale): Scenario[] {
  const page = (count: number) => pageOfRoots(scale, 'own', count);
  return [
    { name: 'page_1', title: '1 trace × 100 calls', ids: page(1), ...ownRoots },
    {
      name: 'page_50_sdk',
      title: '50 traces × 100 calls, rolled up by an SDK',
      ids: pageOfRoots(scale, 'sdk', 50),
      equalsFlatSum: false,
      hasOwnUsageOnly: false,
    },
    { name: 'page_100', title: '100 traces × 100 calls', ids: page(100), ...ownRoots },
    {
      name: 'page_100_random_ids',
      title: '100 traces × 100 calls whose ids do not grow with time',
      ids: pageOfRandomRoots(100),
      ...ownRoots,
    },
    {
      name: 'page_100_mixed',
      title: 'the same, of which 10 traces changed a moment ago',
      ids: page(100),
      changedIds: page(10),
      ...ownRoots,
    },
    otelPage(),
    { name: 'page_1000', title: '1,000 traces × 100 calls', ids: page(1_000), ...ownRoots },
  ];
}
