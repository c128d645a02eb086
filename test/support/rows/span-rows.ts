import type { Row } from './part-rows.ts';

/** A span of OpenTelemetry; by default an inference span without scope and response. */
export interface SpanShape {
  readonly id: string;
  readonly trace?: string;
  readonly parent?: string;
  /** Microseconds; 0 to 10 by default. */
  readonly time?: readonly [start: number, end: number];
  readonly kind?: SpanKind;
  readonly scope?: number;
  readonly response?: string;
  /** Input tokens of the model `m`; half as many output tokens. */
  readonly tokens?: number;
}

type SpanKind = keyof typeof spanKinds;

const spanKinds = { other: 0, inference: 1, tool: 2, agent: 3 } as const;

/** A span as a row of `call_parts`; `more` overrides columns. */
export function spanRow(project_id: string, shape: SpanShape, more: Row = {}): Row {
  const { id, trace = 'trace', parent = '', time = [0, 10], kind = 'inference', scope = 0 } = shape;
  const { response = '', tokens } = shape;
  const entry = { requests: 1, input_tokens: tokens, output_tokens: (tokens ?? 0) / 2 };
  const summary = tokens === undefined ? {} : { usage: { m: entry } };
  return {
    ...{ project_id, id, kind: 'whole', trace_id: trace, parent_id: parent },
    ...{ started_at: toTime(time[0]), ended_at: toTime(time[1]) },
    ...{ usage_mode: 2, span_kind: spanKinds[kind], scope, output_id: response },
    summary_dump: JSON.stringify(summary),
    ...more,
  };
}

function toTime(microseconds: number): string {
  return `2026-01-31 12:00:00.${String(microseconds).padStart(6, '0')}`;
}
