import { spawn, type SpawnOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { readText } from '../markdown.ts';

const rootDirectory = fileURLToPath(new URL('../../..', import.meta.url));

/** The arguments with which a script of package.json runs Node. */
export function nodeArgumentsOf(
  script: 'start' | 'demo' | 'prices' | 'export' | 'damage' | 'verify' | 'erase-payloads',
): string[] {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
  const [program, ...programArguments] = scripts[script]?.split(' ') ?? [];
  if (program !== 'node') throw new Error(`npm run ${script} does not run Node.`);
  return programArguments;
}

export interface EndedNode {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node until it exits, by default in the root of the repository. */
export function runNode(
  programArguments: readonly string[],
  options: SpawnOptions = {},
): Promise<EndedNode> {
  const child = spawn(process.execPath, programArguments, {
    ...{ cwd: rootDirectory, ...options },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
