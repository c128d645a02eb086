import { randomSeries, scatter } from './fill-statements.ts';

/** How large the measured project is, and how long to measure. */
export interface Scale {
  /** Traces of mixed shapes, 100 calls each on average; a multiple of 50. */
  readonly traces: number;
  /** Traces of 100 calls whose ids do not grow with time. */
  readonly randomTraces: number;
  /** Traces of 100 spans of OpenTelemetry. */
  readonly otelTraces: number;
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
  randomTraces: 1_000,
  otelTraces: 1_000,
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
  randomTraces: 300,
  otelTraces: 300,
  runs: 7,
  secondsPerStrategy: 1.5,
  loadSeconds: 10,
  loadRounds: 1,
};

/** For benches that need pages of traces only: the large trace and the evaluation have 1,000 calls. */
export const pagesScale: Scale = {
  ...quickScale,
  otelTraces: 0,
  largeTrace: 1_000,
  evaluation: 1_000,
};

/** 1 million calls in 10,000 traces, without large trees. */
export const millionScale: Scale = { ...pagesScale, traces: 10_000, runs: fullScale.runs };

export const project = 'bench/calls';

/**
 * Of five traces, two have exactly 100 calls with own usage, one has exactly 100 calls of an SDK that rolls usage up
 * into the parents, and two have 1 to 397 calls.
 */
const tracesPerGroup = 5;

/** The series of the traces that consist of one large tree; a chain's is that of `firstChain` plus its position. */
export const largeSeries = { large: 2, evaluation: 3, firstChain: 4 } as const;

/** When the first trace starts; the others follow, one each second, and a trace's calls one each millisecond. */
const firstStart = Date.UTC(2026, 5, 1);

/** The id of a call: a UUID of version 7, which grows with time, or one of version 4 in the random series. */
export function toCallId(series: number, trace: number, call: number): string {
  const isRandom = series === randomSeries;
  const prefix = isRandom
    ? BigInt.asUintN(64, BigInt(trace + call + 1) * scatter) >> 16n
    : BigInt(firstStart + 1_000 * trace + call);
  const digits = toHex(prefix, 12);
  const version = isRandom ? '4000' : '7000';
  const end = toHex(series, 4) + toHex(trace, 8);
  return `${digits.slice(0, 8)}-${digits.slice(8)}-${version}-8000-${end}`;
}

function toHex(number: bigint | number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

/** The ids of `count` roots of traces with 100 calls, spread over the whole project, the same each time. */
export function pageOfRoots(scale: Scale, kind: 'own' | 'sdk', count: number, page = 0): string[] {
  const perGroup = kind === 'own' ? 2 : 1;
  const available = (scale.traces / tracesPerGroup) * perGroup;
  // Coprime to the number of traces, so that no trace is twice on a page.
  const stride = count * 2 > available ? 1 : 37;
  return Array.from({ length: count }, (_, index) => {
    const position = ((page * count + index) * stride) % available;
    const group = Math.floor(position / perGroup);
    return toCallId(0, group * tracesPerGroup + (kind === 'own' ? position % 2 : 2), 0);
  });
}

/** The ids of the first `count` roots of traces whose ids do not grow with time. */
export function pageOfRandomRoots(count: number): string[] {
  return Array.from({ length: count }, (_, trace) => toCallId(randomSeries, trace, 0));
}
