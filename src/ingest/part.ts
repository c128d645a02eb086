import type {
  CallEndRes,
  CallStartRes,
  CompletedCallSchemaForInsert,
  EndedCallSchemaForInsert,
  StartedCallSchemaForInsert,
} from '../openapi-types.ts';

/** One part of a call, as its client sent it. */
export type Part =
  | { readonly kind: 'start'; readonly call: StartedCallSchemaForInsert }
  | { readonly kind: 'end'; readonly call: EndedCallSchemaForInsert }
  | { readonly kind: 'whole'; readonly call: CompletedCallSchemaForInsert };

/** What the client gets for a part: both ids for a start or complete call, nothing for an end. */
export type PartAnswer = CallStartRes | CallEndRes;
