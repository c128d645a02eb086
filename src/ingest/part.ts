import type {
  CallEndRes,
  CallStartRes,
  CompletedCallSchemaForInsert,
  EndedCallSchemaForInsert,
  StartedCallSchemaForInsert,
} from '../openapi-types.ts';

/** One part of a call, as its client sent it. */
export type Part = (
  | { readonly kind: 'start'; readonly call: StartedCallSchemaForInsert }
  | { readonly kind: 'end'; readonly call: EndedCallSchemaForInsert }
  | { readonly kind: 'whole'; readonly call: CompletedCallSchemaForInsert }
) & {
  /**
   * The JSON of `inputs`, `output` and `otel_dump` as it was sent, if it is stored. In `call` these are empty, but for
   * short texts of the output.
   */
  readonly payloads?: ReadonlyMap<string, Buffer>;
};

/** What the client gets for a part: both ids for a start or complete call, nothing for an end. */
export type PartAnswer = CallStartRes | CallEndRes;

/** A span of OpenTelemetry, as a complete call. */
export interface Span {
  readonly projectId: string;
  readonly traceId: string;
  readonly id: string;
  /** Empty for a root, as other texts are that a span does not have. */
  readonly parentId: string;
  readonly name: string;
  readonly displayName: string;
  /** Microseconds since 1970. */
  readonly startedUs: bigint;
  readonly endedUs: bigint;
  /** As the column: 0 own, 1 rolled up, 2 decided by the rule for spans. */
  readonly usageMode: 0 | 1 | 2;
  /** As the column `span_kind`: 1 inference, 2 tool, 3 agent or workflow, 0 other. */
  readonly kind: 0 | 1 | 2 | 3;
  /** A hash of the name of the instrumentation scope. */
  readonly scope: bigint;
  /** JSON text of the attributes that say what the span spent. */
  readonly keptAttributes: string;
  /** The summary of a call; undefined without usage. */
  readonly summary: object | undefined;
  readonly responseId: string;
  readonly hasError: boolean;
  readonly threadId: string;
  readonly turnId: string;
  readonly userId: string;
  readonly runId: string;
}
