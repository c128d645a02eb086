import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TokenCounts } from './recorded-usage.ts';

/** What a program of `python/` writes to its report file when everything was sent. */
export interface PythonReport {
  /** From the id of each call that the program made itself to the name of its op. */
  readonly names: Readonly<Record<string, string>>;
  /** What the fake API answered: from the id of a call to models; requests of its descendants are included. */
  readonly usage: Readonly<Record<string, Readonly<Record<string, TokenCounts>>>>;
  /** Hosts other than loopback that the program tried to connect to. */
  readonly blockedHosts: readonly string[];
}

export interface EndedPython {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined if the program ended before `weave.init` returned. */
  readonly report: PythonReport | undefined;
}

/** Where `npm run python:install` installs the packages. */
const installed = new URL('../../node_modules/.cache/sdk-python/bin/python', import.meta.url);

/** The Python that has the packages of `python/requirements.txt`, or why there is none. */
export async function findPython(): Promise<
  { readonly python: string; readonly versions: string } | { readonly missing: string }
> {
  const python = fileURLToPath(installed);
  const command = 'import weave, openai, agents; print("weave", weave.__version__)';
  try {
    const { stdout } = await promisify(execFile)(python, ['-c', command]);
    return { python, versions: stdout.trim() };
  } catch (error) {
    return { missing: (error as Error).message.trim().split('\n').at(-1) ?? '' };
  }
}

/**
 * Runs a program of `python/` with the given environment only and an empty home directory, so that no key or address of
 * the user who runs the tests can reach it.
 */
export async function runPython(
  python: string,
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<EndedPython> {
  const home = await mkdtemp(join(tmpdir(), 'calls-usage-python-'));
  const reportFile = join(home, 'report.json');
  const program = fileURLToPath(new URL(`python/${name}.py`, import.meta.url));
  try {
    const env = {
      ...environment,
      HOME: home,
      REPORT_FILE: reportFile,
      PYTHONDONTWRITEBYTECODE: '1',
      // The SDK sends a file that it has sent before from this directory, in another process, not again.
      WEAVE_SERVER_CACHE_DIR: join(home, 'cache'),
    };
    const ended = await new Promise<Omit<EndedPython, 'report'>>((resolve) => {
      execFile(python, [program], { cwd: home, env }, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
    const text = await readFile(reportFile, 'utf8').catch(() => undefined);
    const report = text === undefined ? undefined : (JSON.parse(text) as PythonReport);
    return { ...ended, report };
  } finally {
    await rm(home, { recursive: true });
  }
}
