import { expect, test } from 'vitest';

import { toReplicated } from '../../../src/clickhouse/cluster/replicated-tables.ts';
import { toMigrations } from '../../support/clickhouse/clickhouse.ts';

test('migrations of nodes with a Keeper create replicated tables and are otherwise unchanged', () => {
  const [migration] = toReplicated(
    toMigrations({
      '0001_all': `
        CREATE TABLE a (x Int8) ENGINE = MergeTree ORDER BY x;
        CREATE TABLE b (x Int8) ENGINE = ReplacingMergeTree(created_at, is_deleted) ORDER BY x;
        INSERT INTO a SELECT 'ENGINE = Memory';`,
    }),
  );
  const path = `'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'`;
  expect(migration?.statements).toEqual([
    `CREATE TABLE a (x Int8) ENGINE = ReplicatedMergeTree(${path}) ORDER BY x`,
    `CREATE TABLE b (x Int8) ENGINE = ReplicatedReplacingMergeTree(${path}, created_at, is_deleted) ORDER BY x`,
    `INSERT INTO a SELECT 'ENGINE = Memory'`,
  ]);
});
