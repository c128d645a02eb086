import { pageOfRoots, type Scale } from './scale.ts';

export interface Scenario {
  readonly name: string;
  /** What is asked, for people. */
  readonly title: string;
  readonly ids: readonly string[];
  /** Whether the requested calls are roots of own-usage traces, so that the flat sum must come out the same. */
  readonly isFlat: boolean;
  /** Whether adding up what is stored, level by level, must come out the same. */
  readonly isOwn: boolean;
}

/** The scenarios by name, in the order of the table. */
export function listScenarios(scale: Scale): readonly Scenario[] {
  const page = (count: number) => pageOfRoots(scale, 'own', count);
  const whole = { isFlat: true, isOwn: true };
  const rows = Array.from({ length: 100 }, (_, i) => `evaluation-${i + 1}`);
  const unknown = Array.from({ length: 10_000 }, (_, i) => `unknown-${i}`);
  return [
    { name: 'page_1', title: '1 trace × 100 calls', ids: page(1), ...whole },
    {
      name: 'page_50_sdk',
      title: '50 traces × 100 calls, rolled up by an SDK',
      ids: pageOfRoots(scale, 'sdk', 50),
      isFlat: false,
      isOwn: false,
    },
    { name: 'page_100', title: '100 traces × 100 calls', ids: page(100), ...whole },
    { name: 'page_1000', title: '1,000 traces × 100 calls', ids: page(1_000), ...whole },
    {
      name: 'inner_100',
      title: `100 inner calls of an evaluation of ${scale.evaluation.toLocaleString('en')}`,
      ids: rows,
      isFlat: false,
      isOwn: true,
    },
    {
      name: 'trace_1m',
      title: `a trace of ${scale.largeTrace.toLocaleString('en')} calls`,
      ids: ['large-0'],
      ...whole,
    },
    ...scale.chains.map((size) => ({
      name: `chain_${size}`,
      title: `a chain of ${size.toLocaleString('en')} calls`,
      ids: [`chain_${size}-0`],
      ...whole,
    })),
    { name: 'unknown_10000', title: '10,000 unknown ids', ids: unknown, ...whole },
  ];
}
