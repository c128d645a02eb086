/** How large the measured project is, and how long to measure. */
export interface Scale {
  /** Traces of mixed shapes, 100 calls each on average; a multiple of 50. */
  readonly traces: number;
  /** Calls of the large trace. */
  readonly largeTrace: number;
  /** Calls of the evaluation. */
  readonly evaluation: number;
  /** Calls of each chain. */
  readonly chains: readonly number[];
  /** Maximum number of timed runs of one strategy in one scenario, and their maximum total time, in seconds. */
  readonly runs: number;
  readonly secondsPerStrategy: number;
  /** Duration of the load of each strategy, in seconds. */
  readonly loadSeconds: number;
  /** Number of turns into which that duration is divided. */
  readonly loadRounds: number;
}

export const fullScale: Scale = {
  traces: 50_000,
  largeTrace: 1_000_000,
  evaluation: 100_000,
  chains: [1_000, 10_000],
  runs: 21,
  secondsPerStrategy: 60,
  loadSeconds: 60,
  loadRounds: 3,
};

/** The same scenarios with 3,000 instead of 50,000 traces and with fewer runs; takes less than two minutes. */
export const quickScale: Scale = {
  ...fullScale,
  traces: 3_000,
  runs: 7,
  secondsPerStrategy: 1.5,
  loadSeconds: 10,
  loadRounds: 1,
};

/** For benches that need pages of traces only: the large trace and the evaluation have 1,000 calls. */
export const pagesScale: Scale = { ...quickScale, largeTrace: 1_000, evaluation: 1_000 };

export const project = 'bench/calls';

/**
 * Of five traces, two have exactly 100 calls with own usage, one has exactly 100 calls of an SDK that rolls usage up
 * into the parents, and two have 1 to 397 calls.
 */
const tracesPerGroup = 5;

/** The ids of `count` roots of traces with 100 calls, spread over the whole project, the same each time. */
export function pageOfRoots(scale: Scale, kind: 'own' | 'sdk', count: number, page = 0): string[] {
  const perGroup = kind === 'own' ? 2 : 1;
  const available = (scale.traces / tracesPerGroup) * perGroup;
  // Coprime to the number of traces, so that no trace is twice on a page.
  const stride = count * 2 > available ? 1 : 37;
  return Array.from({ length: count }, (_, index) => {
    const position = ((page * count + index) * stride) % available;
    const group = Math.floor(position / perGroup);
    const trace = group * tracesPerGroup + (kind === 'own' ? position % 2 : 2);
    return `trace-${trace}-0`;
  });
}
