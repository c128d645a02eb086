/** What the name of a part says: which blocks of inserted rows it contains, and how often they were merged. */
interface PartBlocks {
  readonly partition: string;
  /** -1 if the name of a detached part cannot be parsed. */
  readonly minBlock: number;
  readonly maxBlock: number;
  readonly level: number;
  /** Unix time in seconds; of a detached part, when it was detached. */
  readonly modifiedAt: number;
}

export type DetachedPart = PartBlocks;

/** A part in `system.parts`. */
export interface StoredPart extends PartBlocks {
  /** Whether it is an active part of a replicated table. */
  readonly isReplicated: boolean | number;
}

/**
 * Whether the stored parts contain all rows of a detached one. So it is after a crash that damaged a merged part whose
 * sources are still on disk: ClickHouse loads these.
 *
 * That a part has the same blocks in its name does not prove it. Blocks between those of merged parts count as merged,
 * even if they were lost, and after a start ClickHouse gives the numbers of lost last blocks to new ones. Only parts
 * that were written before the detachment, and that can be sources of the detached part, therefore count. A replicated
 * table numbers blocks for all replicas and once; there, an active part has the rows that its name says.
 */
export function isCovered(part: DetachedPart, stored: readonly StoredPart[]): boolean {
  if (part.minBlock < 0) return false;
  const sources = stored
    .filter((each) => each.partition === part.partition)
    .filter((each) => each.isReplicated || isSource(each, part))
    .sort((a, b) => a.minBlock - b.minBlock);
  let next = part.minBlock;
  for (const { minBlock, maxBlock } of sources) {
    if (minBlock > next) break;
    next = Math.max(next, maxBlock + 1);
  }
  return next > part.maxBlock;
}

function isSource(stored: StoredPart, part: DetachedPart): boolean {
  return (
    stored.minBlock >= part.minBlock &&
    stored.maxBlock <= part.maxBlock &&
    stored.level < part.level &&
    stored.modifiedAt < part.modifiedAt
  );
}
