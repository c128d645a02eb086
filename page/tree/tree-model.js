/** @import { LlmAggregatedUsage, TraceUsageRes, TreeCall } from '../../src/openapi-types.ts' */

/**
 * A call of the tree, or what is above the top calls.
 * @typedef {object} TreeNode
 * @property {string} id empty above the top calls
 * @property {TreeCall | undefined} call
 * @property {CallTotals} totals
 * @property {TreeNode | undefined} parent
 * @property {number} index among the children of its parent
 * @property {number} depth 0 for top calls
 * @property {number} total number of children
 * @property {Map<number, TreeNode[]>} pages the children that were read
 * @property {Set<TreeNode>} open the children whose children are shown
 */

/**
 * @typedef {object} CallTotals
 * @property {string[]} models
 * @property {number} requests
 * @property {number} tokens
 * @property {number | null} costUsd
 * @property {boolean} isLowerBound
 */

/**
 * A row: a child of a call by its position, which may not have been read yet.
 * @typedef {object} TreeRow
 * @property {TreeNode} parent
 * @property {number} index
 * @property {TreeNode | undefined} node
 */

/** @typedef {Record<string, LlmAggregatedUsage>} CallUsage by model, descendants included */

/** Children that are read by one request. */
export const pageSize = 100;

/**
 * A tree of which only the calls that were looked at are in memory. Rows are found by counting, so that a call with 100,000
 * children needs no list of them.
 */
export class TreeModel {
  /** @type {TreeNode} */
  root = { ...newNode('', undefined, noTotals()), depth: -1 };

  /** Rows that are shown when every row is in view. */
  get rowCount() {
    return countRows(this.root);
  }

  /**
   * @param {number} row
   * @returns {TreeRow}
   */
  rowAt(row) {
    return findRow(this.root, row);
  }

  /**
   * The row of a call that is shown.
   * @param {TreeNode} node
   * @returns {number}
   */
  rowOf(node) {
    const { parent } = node;
    if (parent === undefined) return -1;
    let row = this.rowOf(parent) + 1 + node.index;
    for (const each of parent.open) if (each.index < node.index) row += countRows(each);
    return row;
  }

  /**
   * Adds a page of the children of a call.
   * @param {TreeNode} parent
   * @param {number} page
   * @param {TraceUsageRes} answer of one level
   */
  addPage(parent, page, { calls, call_usage, total }) {
    const entries = Object.entries(calls).sort(([, a], [, b]) =>
      compareTimes(a.started_at, b.started_at),
    );
    const children = entries.map(([id, call], position) => ({
      ...newNode(id, call, toTotals(/** @type {CallUsage} */ (call_usage[id] ?? {}))),
      ...{
        parent,
        index: page * pageSize + position,
        depth: parent.depth + 1,
        total: call.children,
      },
    }));
    parent.pages.set(page, children);
    parent.total = total;
  }
}

/**
 * @param {string} id
 * @param {TreeCall | undefined} call
 * @param {CallTotals} totals
 * @returns {TreeNode}
 */
function newNode(id, call, totals) {
  return {
    ...{ id, call, totals, parent: undefined, index: 0, depth: 0, total: 0 },
    ...{ pages: new Map(), open: new Set() },
  };
}

/**
 * Times of the same zone and format.
 * @param {string} a
 * @param {string} b
 */
function compareTimes(a, b) {
  return a === b ? 0 : a < b ? -1 : 1;
}

/**
 * @param {TreeNode} node
 * @returns {number}
 */
function countRows({ total, open }) {
  let rows = total;
  for (const child of open) rows += countRows(child);
  return rows;
}

/**
 * @param {TreeNode} parent
 * @param {number} row among those of its descendants
 * @returns {TreeRow}
 */
function findRow(parent, row) {
  const open = [...parent.open].sort((a, b) => a.index - b.index);
  let inside = 0;
  for (const child of open) {
    const ownRow = child.index + inside;
    if (row <= ownRow) break;
    const rows = countRows(child);
    if (row <= ownRow + rows) return findRow(child, row - ownRow - 1);
    inside += rows;
  }
  const index = row - inside;
  const node = parent.pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  return { parent, index, node };
}

/** @returns {CallTotals} */
function noTotals() {
  return { models: [], requests: 0, tokens: 0, costUsd: null, isLowerBound: false };
}

/**
 * The sums over the models of a call.
 * @param {CallUsage} usage
 * @returns {CallTotals}
 */
function toTotals(usage) {
  const totals = noTotals();
  for (const [model, { requests, total_tokens, ...costs }] of Object.entries(usage)) {
    totals.models.push(model);
    totals.requests += requests;
    totals.tokens += total_tokens;
    const {
      prompt_tokens_total_cost: prompt = null,
      completion_tokens_total_cost: completion = null,
    } = costs;
    if (prompt === null && completion === null) totals.isLowerBound = true;
    else totals.costUsd = (totals.costUsd ?? 0) + (prompt ?? 0) + (completion ?? 0);
  }
  return totals;
}
