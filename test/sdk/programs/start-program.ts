import { writeFileSync } from 'node:fs';
import type OpenAI from 'openai';
import * as weave from 'weave';
import type { ProgramReport } from '../recorded-usage.ts';
import { createFakeOpenAi } from './fake-openai.ts';
import { UsageRecorder } from './usage-recorder.ts';
import { watchNetwork } from './watch-network.ts';

export interface ProgramContext {
  readonly client: weave.WeaveClient;
  readonly recorder: UsageRecorder;
  readonly openai: OpenAI;
}

/** Initializes the SDK as its users do; the report is written to `REPORT_FILE` when the process ends. */
export async function startProgram(): Promise<ProgramContext> {
  const network = watchNetwork();
  const recorder = new UsageRecorder();
  process.on('exit', () => {
    const report: ProgramReport = { calls: recorder.calls, ...network };
    writeFileSync(requiredVariable('REPORT_FILE'), JSON.stringify(report));
  });
  const client = await weave.init(requiredVariable('PROJECT'));
  return { client, recorder, openai: createFakeOpenAi(recorder) };
}

/** An environment variable that must be set. */
export function requiredVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set.`);
  return value;
}
