import { writeFileSync } from 'node:fs';
import type OpenAI from 'openai';
import * as weave from 'weave';
import type { Report } from '../spending.ts';
import { createFakeOpenAi } from './fake-openai.ts';
import { Ledger } from './ledger.ts';
import { watchNetwork } from './network.ts';

/** What a program works with. */
export interface Tools {
  readonly client: weave.WeaveClient;
  readonly ledger: Ledger;
  readonly openai: OpenAI;
}

/** Starts the SDK as its users do, and writes the report to `REPORT_FILE` when the process ends. */
export async function startProgram(): Promise<Tools> {
  const network = watchNetwork();
  const ledger = new Ledger();
  process.on('exit', () => {
    const report: Report = { calls: ledger.calls, ...network };
    writeFileSync(setting('REPORT_FILE'), JSON.stringify(report));
  });
  const client = await weave.init(setting('PROJECT'));
  return { client, ledger, openai: createFakeOpenAi(ledger) };
}

/** A variable of the environment. */
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set.`);
  return value;
}
