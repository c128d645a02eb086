import { createHash } from 'node:crypto';
import type { CallEnd, CallStart } from '../src/ingest/part.ts';

/** Usage as an LLM client reports it: model to counters, in the words of that client's vendor. */
export type SampleUsage = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** One call of a sample trace as its author writes it; ids and times follow from its place. */
export interface Step {
  readonly op: string;
  /** What it takes besides the steps below it, in milliseconds. */
  readonly ms: number;
  /** It has not ended yet. */
  readonly running?: true;
  /** It ends with this exception. */
  readonly exception?: string;
  readonly usage?: SampleUsage;
  readonly inputs?: object;
  readonly output?: unknown;
  readonly steps?: readonly Step[];
}

/** One call of a sample trace, ready to be sent and to be drawn. */
export interface SampleCall {
  readonly start: CallStart & { readonly id: string; readonly trace_id: string };
  /** Missing while the call is running. */
  readonly end: CallEnd | undefined;
  readonly children: readonly SampleCall[];
}

/** How a trace's calls go to the service. */
type Delivery = 'batches' | 'whole' | 'singly';

export interface SampleTrace {
  readonly about: string;
  readonly delivery: Delivery;
  readonly root: SampleCall;
}

/**
 * Lays a trace out in time: a call starts where the one before it ended, and ends when everything below it
 * has. The same steps give the same ids and times, on every machine and in every run.
 *
 * @param startedAt milliseconds since 1970
 */
export function toSampleCall(projectId: string, startedAt: number, rootStep: Step): SampleCall {
  const traceId = toId(startedAt, `${rootStep.op} trace`);

  function place(step: Step, path: string, at: number, parentId: string | null): SampleCall {
    const id = toId(at, path);
    let now = at + Math.ceil(step.ms / 2);
    const children = (step.steps ?? []).map((below, index) => {
      const child = place(below, `${path}/${String(index)} ${below.op}`, now, id);
      now += toDurationMs(below);
      return child;
    });
    const start = {
      project_id: projectId,
      id,
      trace_id: traceId,
      parent_id: parentId,
      op_name: step.op,
      started_at: new Date(at).toISOString(),
      attributes: { environment: 'demo' },
      inputs: step.inputs ?? {},
    };
    return { start, end: step.running ? undefined : toEnd(step, start, at), children };
  }

  return place(rootStep, rootStep.op, startedAt, null);
}

function toEnd(step: Step, start: SampleCall['start'], startedAt: number): CallEnd {
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
  return (step.steps ?? []).reduce((sum, below) => sum + toDurationMs(below), step.ms);
}

/** Every call of a trace, parents before children. */
export function listCalls(call: SampleCall): SampleCall[] {
  return [call, ...call.children.flatMap(listCalls)];
}

/** A UUIDv7, as Weave's SDKs make them, but with a hash of the seed where theirs is random. */
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
