import type { Steps } from '../../slices/run-in-slices.ts';
import type { CallDetails } from './call-details.ts';

/** What the line of a call has beside what is always in it. */
export interface LineOptions {
  readonly projectId: string;
  /** Names of fields; null for all. */
  readonly columns: ReadonlySet<string> | null;
  /** JSON text of `summary.weave.costs`; undefined unless requested. */
  readonly costs: string | undefined;
  readonly withFeedback: boolean;
}

/** Without these, no client reads a call. */
const requiredColumns: ReadonlySet<string> = new Set([
  'id',
  'project_id',
  'trace_id',
  'op_name',
  'started_at',
  'attributes',
  'inputs',
]);

/** What is read of a batch of calls. */
export interface BatchDetails {
  readonly details: readonly CallDetails[];
  /** JSON by the key of each call with usage; undefined unless requested. */
  readonly costs: ReadonlyMap<string, string> | undefined;
}

/** The lines of calls in the order of the list. */
export function* toLines(
  calls: readonly Pick<CallDetails, 'key'>[],
  { details, costs }: BatchDetails,
  options: Omit<LineOptions, 'costs'>,
): Steps<string> {
  const byKey = new Map(details.map((call) => [call.key, call]));
  let lines = '';
  for (const { key } of calls) {
    const call = byKey.get(key);
    const costsOfCall = costs && (costs.get(key) ?? '{}');
    if (call !== undefined) lines += toCallLine(call, { ...options, costs: costsOfCall });
    yield;
  }
  return lines;
}

/**
 * The line of a call in the shape of Weave's `CallSchema`. It is written by hand, since what was stored as JSON is answered as it
 * was stored: numbers keep their digits, and members their order.
 */
function toCallLine(call: CallDetails, options: LineOptions): string {
  const { projectId, columns } = options;
  const members: Record<string, string> = {
    id: JSON.stringify(call.id),
    project_id: JSON.stringify(projectId),
    op_name: JSON.stringify(call.op_name),
    display_name: textOrNull(call.display_name),
    trace_id: JSON.stringify(call.trace_id),
    parent_id: textOrNull(call.parent_id),
    thread_id: textOrNull(call.thread_id),
    turn_id: textOrNull(call.turn_id),
    started_at: JSON.stringify(call.started_at),
    ended_at: JSON.stringify(call.ended_at),
    attributes: oneLine(call.attributes),
    inputs: oneLine(call.inputs),
    output: oneLine(call.output),
    exception: textOrNull(call.exception),
    summary: toSummary(call, options),
    wb_user_id: textOrNull(call.wb_user_id),
    wb_run_id: textOrNull(call.wb_run_id),
    wb_run_step: call.wb_run_step ?? 'null',
    wb_run_step_end: call.wb_run_step_end ?? 'null',
    deleted_at: 'null',
  };
  const chosen = Object.entries(members).filter(
    ([name]) => columns === null || requiredColumns.has(name) || columns.has(name),
  );
  return `{${chosen.map(([name, json]) => `"${name}":${json}`).join(',')}}\n`;
}

function textOrNull(text: string): string {
  return text === '' ? 'null' : JSON.stringify(text);
}

/** A line break in JSON is between values: in a text it is escaped. */
function oneLine(json: string): string {
  return json.replaceAll(/[\r\n]/g, ' ');
}

/** What the client stored, with those members of `weave` that are facts about the call. */
function toSummary(call: CallDetails, { costs, withFeedback }: LineOptions): string {
  const weave = new Map<string, string>(call.weave_members);
  weave.delete('costs');
  weave.delete('feedback');
  weave.set('status', JSON.stringify(toStatus(call)));
  weave.set('trace_name', JSON.stringify(toTraceName(call)));
  weave.set('latency_ms', call.latency_ms ?? 'null');
  if (costs !== undefined) weave.set('costs', costs);
  // Feedback is not stored.
  if (withFeedback) weave.set('feedback', '[]');
  const summary = new Map<string, string>(call.summary_members);
  summary.set('weave', toObject(weave));
  return oneLine(toObject(summary));
}

function toObject(members: ReadonlyMap<string, string>): string {
  return `{${Array.from(members, ([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

function toStatus(call: CallDetails): string {
  if (call.has_exception === 1) return 'error';
  if (call.ended_at === null) return 'running';
  return call.has_failed_descendant === 1 ? 'descendant_error' : 'success';
}

/** The name of the op in its reference, `weave:///entity/project/op/NAME:VERSION`. */
function toTraceName({ display_name, op_name }: CallDetails): string {
  if (display_name !== '') return display_name;
  return /^weave[\w-]*:\/\/\/.*\/op\/([^/:]+):[^/:]*$/.exec(op_name)?.[1] ?? op_name;
}
