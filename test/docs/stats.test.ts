import { expect, test } from 'vitest';
import { openTestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { openService } from '../support/http/service.ts';
import { fixture } from '../support/fixtures.ts';
import { codeIn, readText } from '../support/markdown.ts';

const text = readText('docs/stats.md');
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

test('the requests of docs/stats.md have the documented answers', async () => {
  const answers: unknown[] = [];
  for (const command of codeIn(text, 'sh')) {
    const [, path = '', body = ''] = /8080(\S+) .*-d '(.*)'/s.exec(command) ?? [];
    const answer = await service.send(path, { body });
    expect(answer.status, answer.text).toBe(200);
    answers.push(answer.json());
  }
  const documented = codeIn(text, 'json').map((json) => JSON.parse(json) as unknown);
  expect(documented).toHaveLength(2);
  // The first request sends the calls.
  expect(answers.slice(1)).toEqual(documented);
});
