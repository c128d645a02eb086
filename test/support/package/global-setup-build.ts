import { runNode } from './npm-command.ts';

/** Compiles dist if the sources have changed, since some tests start the compiled programs. */
export async function setup(): Promise<void> {
  const { code, stderr } = await runNode(['cli/build.js', '--if-stale']);
  if (code !== 0) throw new Error(`The sources do not compile:\n${stderr}`);
}
