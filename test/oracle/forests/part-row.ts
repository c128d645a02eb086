import { isObject, type JsonObject, writeJson } from '../json.ts';
import type { Part } from './plan-forest.ts';

/** A part as a row of `call_parts`, with the columns that pipelines have set since the first release. */
export function toPartRow({ kind, part }: Part): object {
  const text = (name: string): string => (part.get(name) ?? '') as string;
  const time = (name: string): string | null => (part.has(name) ? toDateTime(text(name)) : null);
  const dump = (name: string): string => writeJson(part.get(name) ?? new Map());
  return {
    project_id: text('project_id'),
    id: text('id'),
    kind,
    trace_id: text('trace_id'),
    parent_id: text('parent_id'),
    op_name: text('op_name'),
    started_at: time('started_at'),
    ended_at: time('ended_at'),
    attributes_dump: dump('attributes'),
    output_dump: writeJson(part.get('output') ?? null),
    summary_dump: dump('summary'),
    ...toSpanColumns(part),
  };
}

/** What only rows of spans set. A client's own usage mode precedes. */
function toSpanColumns(part: JsonObject): object {
  const span = part.get('span');
  if (!isObject(span)) return {};
  const weave = part.get('attributes');
  const rollup = isObject(weave) ? writeJson(weave) : '';
  const mode = rollup.includes('"own"') ? 0 : rollup.includes('"rolled_up"') ? 1 : 2;
  return {
    usage_mode: mode,
    span_kind: ['other', 'inference', 'tool', 'agent'].indexOf(span.get('kind') as string),
    scope: Buffer.from(span.get('scope') as string).reduce((sum, byte) => sum + byte, 0),
  };
}

/** ClickHouse does not accept integers beyond 64 bits as JSON; the service writes them in another notation. */
export function canBeInserted({ part }: Part): boolean {
  return !/[:,[]-?\d{19}/.test(writeJson(part));
}

/** An ISO 8601 time in the default format of ClickHouse: in UTC, with six decimals. */
export function toDateTime(text: string): string {
  const [, seconds, fraction = '', zone] = /^(.{19})(?:\.(\d+))?(.+)$/.exec(text)!;
  const utc = new Date(`${seconds!}${zone!}`).toISOString().slice(0, 19).replace('T', ' ');
  return `${utc}.${fraction.slice(0, 6).padEnd(6, '0')}`;
}
