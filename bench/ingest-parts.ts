/** Realistic parts of about 1 kB, the same for every way to send them; deterministic. */

const started = Date.parse('2026-06-01T00:00:00Z');

const words =
  'order refund parcel customer delayed since Tuesday please check the policy and answer in two sentences'.split(
    ' ',
  );

/** Text of some 400 characters that differs from call to call, so that it does not compress to nothing. */
function prose(seed: number, length: number): string {
  let [text, state] = ['', seed + 1];
  while (text.length < length) {
    state = (state * 48_271) % 2_147_483_647;
    text += `${words[state % words.length] ?? ''}-${(state % 9_973).toString(36)} `;
  }
  return text.slice(0, length);
}

/** One call as whole calls arrive; `batch` is found again in `thread_id`. */
export function toWholeCall(project_id: string, batch: string, index: number, seed: number) {
  const prompt_tokens = 100 + (seed % 900);
  const completion_tokens = 10 + (seed % 90);
  return {
    project_id,
    id: `${batch}-${index}-019a5d2e-7cc0`,
    trace_id: `${batch}-${index - (index % 20)}-019a5d2e`,
    parent_id: index % 20 === 0 ? null : `${batch}-${index - (index % 20)}-019a5d2e-7cc0`,
    thread_id: batch,
    op_name: 'weave:///bench/ingest/op/openai.chat.completions.create:v1',
    started_at: new Date(started + seed).toISOString(),
    ended_at: new Date(started + seed + 900).toISOString(),
    attributes: { weave: { source: 'js-sdk', client_version: '0.16.4', os_name: 'linux' } },
    inputs: {
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system', content: 'You are a support agent.' },
        { role: 'user', content: prose(seed, 320) },
      ],
    },
    output: { choices: [{ message: { role: 'assistant', content: prose(seed + 7, 180) } }] },
    summary: {
      usage: {
        'gpt-4o-mini': {
          requests: 1,
          prompt_tokens,
          completion_tokens,
          total_tokens: prompt_tokens + completion_tokens,
          prompt_tokens_details: { cached_tokens: 0 },
        },
      },
      status_counts: { success: 1, error: 0 },
    },
  };
}

type Call = ReturnType<typeof toWholeCall>;

/** The start and the end of a call as SDKs send them: the end without its trace. */
export function toStartAndEnd(call: Call): object[] {
  const { ended_at, output, summary, ...start } = call;
  const end = { project_id: call.project_id, id: call.id, ended_at, output, summary };
  return [
    { mode: 'start', req: { start } },
    { mode: 'end', req: { end: { ...end, exception: null } } },
  ];
}

const toTime = (iso: string): string => iso.slice(0, 23).replace('T', ' ');

/** The row of `call_parts` that the service makes of a whole call. */
export function toWholeRow(call: Call): object {
  return { ...toStartColumns(call), ...toEndColumns(call), kind: 'whole' };
}

/** The rows that the service makes of a start and its end. */
export function toStartAndEndRows(call: Call): object[] {
  const { project_id, id, trace_id } = call;
  return [
    { ...toStartColumns(call), kind: 'start' },
    { project_id, id, trace_id, ...toEndColumns(call), kind: 'end' },
  ];
}

function toStartColumns(call: Call): object {
  const { project_id, id, trace_id, thread_id, op_name } = call;
  return {
    ...{ project_id, id, trace_id, thread_id, op_name },
    parent_id: call.parent_id ?? '',
    started_at: toTime(call.started_at),
    attributes_dump: JSON.stringify(call.attributes),
    inputs_dump: JSON.stringify(call.inputs),
  };
}

function toEndColumns(call: Call): object {
  return {
    ended_at: toTime(call.ended_at),
    output_dump: JSON.stringify(call.output),
    summary_dump: JSON.stringify(call.summary),
  };
}
