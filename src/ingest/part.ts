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
