import { createHash } from 'node:crypto';
import type { EndedCallSchemaForInsert, StartedCallSchemaForInsert } from '../src/openapi-types.ts';

/** Usage as an LLM client reports it: model to counters, with the field names of that client's vendor. */
export type SampleUsage = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** One call of a sample trace as written by its author; ids and times are derived from its position. */
export interface Step {
  readonly op: string;
  /** Its duration without its steps, in milliseconds. */
  readonly ms: number;
  /** The call has no end yet. */
  readonly running?: true;
  /** The call ends with this exception. */
  readonly exception?: string;
  readonly usage?: SampleUsage;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly output?: unknown;
  readonly steps?: readonly Step[];
}

/** One call of a sample trace, in the form in which it is sent and drawn. */
export interface SampleCall {
  readonly start: StartedCallSchemaForInsert & { readonly id: string; readonly trace_id: string };
  /** Missing while the call is running. */
  readonly end: EndedCallSchemaForInsert | undefined;
  readonly children: readonly SampleCall[];
}

/** How the calls of a trace are sent: parts in batches, complete calls, or one part per request. */
type Delivery = 'batches' | 'complete' | 'single';

export interface SampleTrace {
  readonly description: string;
  readonly delivery: Delivery;
  readonly root: SampleCall;
}

interface CallFields {
  readonly wb_user_id?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/**
 * Derives ids and times of a trace: a call starts when the previous one ended, and ends after its children. The same
 * steps give the same ids and times, on every machine and in every run.
 *
 * @param startedAt milliseconds since 1970
 * @param fields of every call
 */
export function toSampleCall(
  projectId: string,
  startedAt: number,
  rootStep: Step,
  { attributes, ...fields }: CallFields = {},
): SampleCall {
  const traceId = toId(startedAt, `${rootStep.op} trace`);

  function place(step: Step, path: string, at: number, parentId: string | null): SampleCall {
    const id = toId(at, path);
    let now = at + Math.ceil(step.ms / 2);
    const children = (step.steps ?? []).map((childStep, index) => {
      const child = place(childStep, `${path}/${String(index)} ${childStep.op}`, now, id);
      now += toDurationMs(childStep);
      return child;
    });
    const start = {
      project_id: projectId,
      id,
      trace_id: traceId,
      parent_id: parentId,
      op_name: step.op,
      started_at: new Date(at).toISOString(),
      attributes: { environment: 'demo', ...attributes },
      inputs: step.inputs ?? {},
      ...fields,
    };
    return { start, end: step.running ? undefined : toEnd(step, start, at), children };
  }

  return place(rootStep, rootStep.op, startedAt, null);
}

function toEnd(
  step: Step,
  start: SampleCall['start'],
  startedAt: number,
): EndedCallSchemaForInsert {
  return {
    project_id: start.project_id,
    id: start.id,
    trace_id: start.trace_id,
    ended_at: new Date(startedAt + toDurationMs(step)).toISOString(),
    summary: step.usage === undefined ? {} : { usage: step.usage },
    exception: step.exception ?? null,
    output: step.output ?? null,
  };
}

function toDurationMs(step: Step): number {
  return (step.steps ?? []).reduce((sum, child) => sum + toDurationMs(child), step.ms);
}

/** All calls of a trace, parents before children. */
export function listCalls(call: SampleCall): SampleCall[] {
  return [call, ...call.children.flatMap(listCalls)];
}

/** A UUIDv7, like those of Weave's SDKs, with a hash of the seed in place of the random bits. */
function toId(time: number, seed: string): string {
  const clock = time.toString(16).padStart(12, '0');
  const hash = createHash('sha256').update(seed).digest('hex');
  const variant = '89ab'.charAt(Number.parseInt(hash.charAt(3), 16) % 4);
  return [
    clock.slice(0, 8),
    clock.slice(8),
    `7${hash.slice(0, 3)}`,
    `${variant}${hash.slice(4, 7)}`,
    hash.slice(7, 19),
  ].join('-');
}
