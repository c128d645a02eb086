import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProgramReport } from './recorded-usage.ts';

/** A program that has ended. */
export interface EndedProgram {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: ProgramReport;
  /** Files that the program left in its home directory. */
  readonly files: readonly string[];
}

/**
 * Runs a program of `programs/` in a Node process with the given environment only and an empty home directory, so that
 * no key or address of the user who runs the tests can reach it.
 */
export async function runProgram(
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<EndedProgram> {
  const home = await mkdtemp(join(tmpdir(), 'calls-usage-sdk-'));
  const reportFile = join(home, 'report.json');
  const program = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  try {
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), program], {
      cwd: home,
      env: { ...environment, HOME: home, REPORT_FILE: reportFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    const text = await readFile(reportFile, 'utf8').catch((cause: unknown) => {
      throw new Error(`${name} wrote no report:\n${stdout}\n${stderr}`, { cause });
    });
    const files = (await readdir(home)).filter((file) => file !== 'report.json');
    return { exitCode, stdout, stderr, report: JSON.parse(text) as ProgramReport, files };
  } finally {
    await rm(home, { recursive: true });
  }
}
