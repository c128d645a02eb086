import { describe, expect, test } from 'vitest';
import {
  isCovered,
  type DetachedPart,
  type StoredPart,
} from '../../../src/clickhouse/damage/is-covered.ts';

const detachedAt = 1_000;

/** A part `all_<minBlock>_<maxBlock>_<level>`. */
function part(minBlock: number, maxBlock: number, level: number): DetachedPart {
  return { partition: 'all', minBlock, maxBlock, level, modifiedAt: detachedAt };
}

function stored(minBlock: number, maxBlock: number, level: number, more = {}): StoredPart {
  return {
    ...part(minBlock, maxBlock, level),
    modifiedAt: detachedAt - 1,
    isReplicated: false,
    ...more,
  };
}

const merged = part(1, 3, 1);

describe('nothing of a detached part is lost', () => {
  test.each<[string, StoredPart[]]>([
    ['when its sources are stored', [stored(1, 1, 0), stored(2, 2, 0), stored(3, 3, 0)]],
    ['in any order, with overlaps', [stored(3, 3, 0), stored(1, 2, 0), stored(2, 2, 0)]],
    ['when a replica has the part', [stored(1, 5, 2, { isReplicated: true, modifiedAt: 2_000 })]],
  ])('%s', (_, parts) => expect(isCovered(merged, parts)).toBe(true));
});

describe('rows of a detached part are lost', () => {
  test.each<[string, DetachedPart, StoredPart[]]>([
    ['without any other part', merged, []],
    ['when a source is missing', merged, [stored(1, 1, 0), stored(3, 3, 0)]],
    ['when the last source is missing', merged, [stored(1, 1, 0), stored(2, 2, 0)]],
    ['when its neighbours were merged over it', part(2, 2, 0), [stored(1, 3, 1)]],
    ['when an insert has its number', part(2, 2, 0), [stored(2, 2, 0)]],
    ['when inserts have the numbers', merged, [stored(1, 3, 0, { modifiedAt: detachedAt })]],
    ['when the parts are of another partition', merged, [stored(1, 3, 0, { partition: 'x' })]],
    ['when its name cannot be parsed', part(-1, -1, 0), [stored(1, 3, 0)]],
  ])('%s', (_, detached, parts) => expect(isCovered(detached, parts)).toBe(false));
});
