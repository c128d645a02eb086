import { describe, expect, test } from 'vitest';
import { settingsTable } from '../../src/settings/settings-table.ts';
import { parseCurl } from '../support/http/curl.ts';
import { usageClientFixture } from '../support/fixtures.ts';
import { codeIn, isPresent, listFiles, readText, sectionOf } from '../support/markdown.ts';

const readme = readText('README.md');

test('the README is at most 8 KB', () => {
  expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(8_192);
});

describe('commands', () => {
  test('the README has the commands for the demo and the tests', () => {
    const commands = codeIn(readme, 'sh').map((block) => block.trim());
    expect(commands).toContain('npm ci && npm run demo');
    expect(commands).toContain('npm ci && npm test');
  });

  test('every npm command in a document is a script of package.json', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    for (const file of listFiles('.md')) {
      const commands = readText(file).matchAll(/\bnpm (?:run ([a-z][\w:-]*)|(test|start)\b)/g);
      for (const [command, script, shorthand] of commands) {
        expect(scripts, `${file}: ${command}`).toHaveProperty([script ?? shorthand ?? '']);
      }
    }
  });

  test('every script of package.json that people run is in a document', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    const documents = listFiles('.md').map(readText).join('\n');
    const internal = /^check:(?!static)/;
    const missing = Object.keys(scripts).filter(
      (name) => !internal.test(name) && !new RegExp(`npm (run )?${name}\\b`).test(documents),
    );
    expect(missing).toEqual([]);
  });
});

describe('the commands of "Run it"', () => {
  const client = usageClientFixture();
  const section = sectionOf(readme, 'Run it');
  const [send, request] = codeIn(section, 'sh')
    .filter((block) => block.startsWith('curl '))
    .map(parseCurl);

  test('use the default address and the generated key', () => {
    const { host, port, dataDir } = settingsTable;
    for (const command of [send!, request!]) {
      expect(new URL(command.url).origin).toBe(`http://${host.default}:${port.default}`);
      expect(command.user).toBe(`api:$(cat ${String(dataDir.default).replace('./', '')}/api-key)`);
    }
  });

  test('send a call and return the answer that the README shows', async () => {
    const { pathname } = new URL(send!.url);
    const sent = await client.service.send(pathname, { body: send!.body });
    expect([sent.status, sent.json()]).toEqual([200, {}]);
    const answer = await client.service.send('/calls/usage', { body: request!.body });
    const [documented = ''] = codeIn(section, 'json');
    expect(answer.json()).toEqual(JSON.parse(documented));
  });
});

test('every path of "Where things are" exists, and every folder is in it', () => {
  const [block = ''] = codeIn(sectionOf(readme, 'Where things are'), 'text');
  const paths = block
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  expect(paths.filter((path) => !isPresent(path))).toEqual([]);
  const folders = listFiles('').flatMap((path) => /^(?!src\/|\.)\w+\//.exec(path) ?? []);
  const rooms = listFiles('.ts', 'src/').flatMap(
    (path) => /^src\/[\w-]+(?:\/|\.ts$)/.exec(path) ?? [],
  );
  const expected = new Set([
    ...folders,
    ...rooms.filter((path) => path !== 'src/openapi-types.ts'),
  ]);
  expect(paths.sort()).toEqual([...expected].sort());
});
