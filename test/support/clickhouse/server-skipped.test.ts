import { test } from 'vitest';

test.skip(
  'SKIPPED: the suite against clickhouse/clickhouse-server, because Docker does not answer',
);
