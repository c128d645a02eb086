import { expect, test } from 'vitest';
import { openTestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { openService } from '../support/http/service.ts';
import { fixture } from '../support/fixtures.ts';
import { codeIn, readText } from '../support/markdown.ts';

const text = readText('docs/export.md');
const [storingCalls = ''] = codeIn(readText('docs/stats.md'), 'sh');

const service = fixture(async () => {
  const clickhouse = await openTestClickHouse();
  const opened = await openService(clickhouse.environment);
  await opened.ready;
  const close = async (): Promise<void> => {
    await opened.close();
    await clickhouse.close();
  };
  return { send: opened.send.bind(opened), close };
});

test('the request of docs/export.md has the documented answer', async () => {
  const [, path = '', body = ''] = /8080(\S+) .*-d '(.*)'/s.exec(storingCalls) ?? [];
  await service.send(path, { body });
  const [command = ''] = codeIn(text, 'sh');
  const parameters = [...command.matchAll(/-d (\w+)=(\S+)/g)].map(
    ([, name = '', value = '']): [string, string] => [name, value.replaceAll("'", '')],
  );
  expect(parameters).toHaveLength(4);
  const query = new URLSearchParams(parameters).toString();
  const answer = await service.send(`/usage/export?${query}`);
  expect(answer.status, answer.text).toBe(200);
  const [documented = ''] = codeIn(text, 'csv');
  expect(answer.text.replaceAll('\r\n', '\n').trim()).toBe(documented.trim());
});
