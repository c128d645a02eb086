import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

test('the migrations make the schema of golden-schema.sql', async () => {
  const tables = await opened.query<{ statement: string }>(`
    SELECT formatQuery(create_table_query) AS statement FROM system.tables
    WHERE database = currentDatabase() ORDER BY name`);
  const schema = tables
    .map(({ statement }) => `${statement.replaceAll(`${opened.database}.`, '')};\n`)
    .join('\n');
  await expect(schema).toMatchFileSnapshot('golden-schema.sql');
});
