import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { parseSettings } from '../src/settings/settings.ts';

const help = `npm run export -- --project team/* --start 2026-01-01 --output FILE

Writes what the calls of projects used and cost to a file, from a running service.

  --project PATTERN   entity/project, entity/* or *; may be repeated
  --start, --end      the window, in ISO 8601; the end is exclusive, now by default
  --bucket            day (default), hour or a number of seconds
  --group-by          up to two of op_name, wb_user_id and thread_id, between commas
  --timezone          where days and hours begin, UTC by default
  --format            csv (default), jsonl, parquet or focus
  --output FILE       is replaced when the whole export has arrived
  --url               the service, by default that of HOST and PORT
  --key-file FILE     has the API key, by default DATA_DIR/api-key`;

const text = { type: 'string' } as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      project: { type: 'string', multiple: true },
      ...{ start: text, end: text, bucket: text, 'group-by': text, timezone: text, format: text },
      ...{ output: text, url: text, 'key-file': text, help: { type: 'boolean' } },
    },
  });
  const { project, start, output, url, 'key-file': keyFile, 'group-by': groupBy } = values;
  if (project === undefined || start === undefined || output === undefined) {
    console.error(help);
    process.exitCode = 2;
    return;
  }
  const { end, bucket, timezone, format } = values;
  const parameters = { start, end, bucket, timezone, format, group_by: groupBy };
  const query = new URLSearchParams(project.map((each): [string, string] => ['project', each]));
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, value);
  }
  const { host, port, dataDir } = parseSettings(process.env);
  const service = url ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const key = (await readFile(keyFile ?? join(dataDir, 'api-key'), 'utf8')).trim();
  const unknown = await download(
    `${service.replace(/\/$/, '')}/usage/export?${query.toString()}`,
    key,
    output,
  );
  warnOfUnknown(project, unknown);
}

/** What the service says of patterns without a project, which an export without rows does not tell. */
function warnOfUnknown(project: readonly string[], unknown: number): void {
  if (unknown === 0) return;
  const distinct = [...new Set(project)];
  const which =
    unknown === distinct.length
      ? distinct.join(', ')
      : `${unknown} of the ${distinct.length} values of --project`;
  console.error(`No project with calls that the key may read matches ${which}.`);
}

/**
 * Writes to a draft, so that the file is never half of an export.
 * @returns how many of the ids and patterns are unknown
 */
async function download(url: string, key: string, output: string): Promise<number> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok || response.body === null) {
    throw new Error(`The service answers ${response.status}: ${await response.text()}`);
  }
  const draft = `${output}.partial`;
  let bytes = 0;
  const count = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (process.stderr.isTTY) process.stderr.write(`\r${bytes} bytes`);
      yield chunk;
    }
  };
  try {
    await pipeline(Readable.from(count(response.body)), createWriteStream(draft));
  } catch (error) {
    await rm(draft, { force: true });
    throw new Error(`The export was cut off after ${bytes} bytes; ${output} is as it was.`, {
      cause: error,
    });
  }
  await rename(draft, output);
  if (process.stderr.isTTY) process.stderr.write('\n');
  console.log(`Wrote ${bytes} bytes to ${output}.`);
  return Number(response.headers.get('x-unknown-projects') ?? 0);
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
