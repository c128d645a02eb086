import { orphanEndRow, type Row, startRow, wholeRow } from './part-rows.ts';

/** Calls whose ends came without a trace id: of `started` the start is there, of `unknown` it is not. */
export function looseParts(project: string): Row[] {
  const usage = { m: { prompt_tokens: 7 } };
  return [
    startRow(project, { id: 'started', trace: 'its trace' }),
    orphanEndRow(project, { id: 'started', usage }, { exception: 'broke', wb_run_step_end: '3' }),
    orphanEndRow(project, { id: 'unknown', usage }),
    wholeRow(project, { id: 'whole', trace: 'its trace', usage }),
  ];
}
