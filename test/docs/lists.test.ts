import { expect, test } from 'vitest';
import { openTestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { openService } from '../support/http/service.ts';
import { fixture } from '../support/fixtures.ts';
import { codeIn, readText } from '../support/markdown.ts';

const text = readText('docs/lists.md');
const [storingCalls = ''] = codeIn(readText('docs/stats.md'), 'sh');

const service = fixture(async () => {
  const clickhouse = await openTestClickHouse();
  // Without rollups, so that it does not depend on the time what `is_settled` is.
  const opened = await openService({ ...clickhouse.environment, ROLLUPS: 'false' });
  await opened.ready;
  const close = async (): Promise<void> => {
    await opened.close();
    await clickhouse.close();
  };
  return { send: opened.send.bind(opened), close };
});

test('the requests of docs/lists.md are answered, those for traces as documented', async () => {
  const answers: unknown[] = [];
  for (const command of [storingCalls, ...codeIn(text, 'sh')]) {
    const [, path = '', body = ''] = /8080(\S+)(?: .*-d '(.*)')?/s.exec(command) ?? [];
    const isGet = path.endsWith("'");
    const answer = await service.send(path.replace(/'$/, ''), isGet ? { method: 'GET' } : { body });
    expect(answer.status, answer.text).toBe(200);
    if (isGet) expect(answer.json()).toMatchObject({ projects: [{ project_id: 'team/stats' }] });
    if (path === '/traces/query') answers.push(answer.json());
  }
  const documented = codeIn(text, 'json').map((json) => JSON.parse(json) as unknown);
  expect(documented).toHaveLength(1);
  expect(answers).toEqual(documented);
});
