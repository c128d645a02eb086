/** What one abuse came to. */
export interface Outcome {
  /** What was measured, in words and figures. */
  readonly measured: string;
  readonly isWithinBound: boolean;
}

/** Something that a hostile client, a crash or an operator does to the service. */
export interface Scenario {
  readonly name: string;
  /** What must hold. */
  readonly bound: string;
  /** @param dataDir an empty directory of the scenario's own */
  readonly run: (dataDir: string) => Promise<Outcome>;
}

/** Figures as text. */
export function figures(values: {
  readonly aboveIdleMb: number;
  readonly livezP99Ms: number;
}): string {
  return `+${values.aboveIdleMb.toFixed(0)} MiB, /livez p99 ${values.livezP99Ms.toFixed(0)} ms`;
}
