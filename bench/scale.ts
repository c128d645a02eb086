/** How large the project is that is measured. */
export interface Scale {
  /** Traces of mixed shape, 100 calls each on average; a multiple of 50. */
  readonly traces: number;
  /** Calls of the large trace. */
  readonly largeTrace: number;
  /** Calls of the evaluation. */
  readonly evaluation: number;
  readonly chains: readonly number[];
  /** Timed runs of a small scenario, and how long one way of one scenario may take in all, in seconds. */
  readonly runs: number;
  readonly secondsPerWay: number;
  /** How long the load lasts, in seconds. */
  readonly loadSeconds: number;
  /** In how many turns the load is shared between ours and the flat sum. */
  readonly loadRounds: number;
}

export const fullScale: Scale = {
  traces: 50_000,
  largeTrace: 1_000_000,
  evaluation: 100_000,
  chains: [1_000, 10_000],
  runs: 21,
  secondsPerWay: 60,
  loadSeconds: 60,
  loadRounds: 3,
};

/** The same scenarios on a sixteenth of the traces, with fewer runs: for under two minutes. */
export const quickScale: Scale = {
  ...fullScale,
  traces: 3_000,
  runs: 7,
  secondsPerWay: 1.5,
  loadSeconds: 10,
  loadRounds: 1,
};

export const project = 'bench/calls';

/**
 * Of five traces two have exactly 100 calls that say what each spent, one has exactly 100 calls made by an SDK
 * that adds children's usage to their parents', and two have sizes of 1 to 397 calls.
 */
export const tracesPerGroup = 5;

/** The ids of `count` roots of 100-call traces, spread over the whole project, the same each time. */
export function pageOfRoots(scale: Scale, kind: 'own' | 'sdk', count: number, page = 0): string[] {
  const perGroup = kind === 'own' ? 2 : 1;
  const available = (scale.traces / tracesPerGroup) * perGroup;
  // Coprime to the number of traces, so that a page does not meet a trace twice.
  const stride = count * 2 > available ? 1 : 37;
  return Array.from({ length: count }, (_, i) => {
    const n = ((page * count + i) * stride) % available;
    const trace = Math.floor(n / perGroup) * tracesPerGroup + (kind === 'own' ? n % 2 : 2);
    return `trace-${trace}-0`;
  });
}
