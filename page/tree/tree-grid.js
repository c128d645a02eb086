import { html, useEffect, useLayoutEffect, useRef, useState } from '../preact.js';
import { CallRow, PendingRow } from './tree-row.js';

/** @import { TreeNode, TreeRow } from './tree-model.js' */
/** @import { Tree } from './use-tree.js' */

const rowHeight = 30;
const maxHeight = 600;
/** Rows that are drawn above and below those in view. */
const overscan = 8;
/** How long the rows have to rest before those in view are read. */
const restMs = 80;

/**
 * The rows that are in view, and no others.
 * @param {object} props
 * @param {Tree} props.tree
 * @param {TreeNode | undefined} props.billed
 * @param {(node: TreeNode | undefined) => void} props.setBilled
 */
export function TreeGrid({ tree, billed, setBilled }) {
  const { model } = tree;
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const { focused, focus, onKeyDown } = useRowFocus({ tree, frame, setBilled });
  const count = model.rowCount;
  const height = Math.min(maxHeight, count * rowHeight);
  const { first, rows, onScroll } = useRowsInView({ tree, frame, count, height });
  const tops = model.root.pages.get(0) ?? [];
  const totalUsd = tops.reduce((sum, { totals }) => sum + (totals.costUsd ?? 0), 0);
  const toRow = (/** @type {TreeRow} */ { node, parent, index }, /** @type {number} */ offset) => {
    const row = first + offset;
    const place = { row, y: row * rowHeight };
    if (node === undefined) {
      return html`<${PendingRow}
        key=${`${parent.id} ${index}`}
        ...${place}
        depth=${parent.depth + 1}
      />`;
    }
    const state = {
      isOpen: parent.open.has(node),
      isFocused: row === focused,
      isBilled: node === billed,
    };
    const actions = { setOpen: tree.setOpen, setBilled, focus };
    return html`<${CallRow}
      key=${node.id}
      ...${{ ...place, ...state, ...actions, node, totalUsd }}
    />`;
  };
  const style = { height: `${height}px` };
  return html`<div
    class="tree"
    role="treegrid"
    aria-label="Calls of the trace"
    aria-rowcount=${count + 1}
    aria-colcount="6"
  >
    <${Head} />
    <div class="tree-frame" role="rowgroup" ref=${frame} ...${{ style, onScroll, onKeyDown }}>
      <div class="tree-space" role="presentation" style=${{ height: `${count * rowHeight}px` }}>
        ${rows.map(toRow)}
      </div>
    </div>
  </div>`;
}

/**
 * @param {object} options
 * @param {Tree} options.tree
 * @param {{ current: HTMLElement | null }} options.frame
 * @param {number} options.count of all rows
 * @param {number} options.height of the frame
 */
function useRowsInView({ tree, frame, count, height }) {
  const [scrollTop, setScrollTop] = useState(0);
  const first = Math.max(0, Math.min(Math.floor(scrollTop / rowHeight), count - 1) - overscan);
  const last = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + overscan);
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, offset) =>
    tree.model.rowAt(first + offset),
  );
  useRequests(tree, rows);
  return { first, rows, onScroll: () => setScrollTop(frame.current?.scrollTop ?? 0) };
}

const columns = [
  { name: 'Call, descendants included', kind: '' },
  { name: 'Model', kind: 'wide-only' },
  { name: 'Duration', kind: 'number wide-only' },
  { name: 'Tokens', kind: 'number wide-only' },
  { name: 'Cost', kind: 'number' },
  { name: 'Share', kind: 'wide-only' },
];

function Head() {
  return html`<div role="rowgroup">
    <div class="tree-row tree-head" role="row" aria-rowindex="1">
      ${columns.map(({ name, kind }) => html`<span role="columnheader" key=${name} class=${kind}>${name}</span>`)}
    </div>
  </div>`;
}

/**
 * Reads what is in view once it rests.
 * @param {Tree} tree
 * @param {TreeRow[]} rows
 */
function useRequests(tree, rows) {
  useEffect(() => {
    const missing = rows.filter(({ node }) => node === undefined);
    if (missing.length === 0 || tree.error !== undefined) return;
    const timer = setTimeout(() => {
      for (const { parent, index } of missing) tree.read(parent, index);
    }, restMs);
    return () => clearTimeout(timer);
  });
}

/**
 * The row that has the focus, which the arrow keys move as in a tree.
 * @param {object} options
 * @param {Tree} options.tree
 * @param {{ current: HTMLElement | null }} options.frame
 * @param {(node: TreeNode) => void} options.setBilled
 */
function useRowFocus({ tree, frame, setBilled }) {
  const [focused, setFocused] = useState(0);
  const isMoved = useRef(false);
  const focus = (/** @type {number} */ row) => {
    isMoved.current = true;
    setFocused(Math.max(0, Math.min(tree.model.rowCount - 1, row)));
  };
  useLayoutEffect(() => {
    if (!isMoved.current || frame.current === null) return;
    scrollTo(frame.current, focused);
    const row = frame.current.querySelector('[tabindex="0"]');
    if (row instanceof HTMLElement) {
      isMoved.current = false;
      row.focus({ preventScroll: true });
    }
  });
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const action = toAction(event.key, focused, tree);
    if (action === undefined) return;
    event.preventDefault();
    if (typeof action === 'number') focus(action);
    else if (action === 'bill') {
      const { node } = tree.model.rowAt(focused);
      if (node !== undefined) setBilled(node);
    } else tree.setOpen(action.node, action.isOpen);
  };
  return { focused, focus, onKeyDown };
}

/**
 * @param {HTMLElement} frame
 * @param {number} row
 */
function scrollTo(frame, row) {
  const top = row * rowHeight;
  if (top < frame.scrollTop) frame.scrollTop = top;
  const bottom = top + rowHeight - frame.clientHeight;
  if (bottom > frame.scrollTop) frame.scrollTop = bottom;
}

const rowsOfPage = Math.floor(maxHeight / rowHeight) - 1;

/**
 * What a key does: moves to a row, opens or closes a call, or shows its bill.
 * @param {string} key
 * @param {number} focused
 * @param {Tree} tree
 * @returns {number | 'bill' | { node: TreeNode, isOpen: boolean } | undefined}
 */
function toAction(key, focused, { model }) {
  /** @type {Record<string, number>} */
  const moves = {
    ArrowDown: focused + 1,
    ArrowUp: focused - 1,
    PageDown: focused + rowsOfPage,
    PageUp: focused - rowsOfPage,
    Home: 0,
    End: model.rowCount - 1,
  };
  if (moves[key] !== undefined) return moves[key];
  const { node, parent } = model.rowAt(focused);
  if (node === undefined) return undefined;
  const isOpen = parent.open.has(node);
  if (key === 'Enter') return 'bill';
  if (key === 'ArrowRight' && node.total > 0) return isOpen ? focused + 1 : { node, isOpen: true };
  if (key !== 'ArrowLeft') return undefined;
  return isOpen ? { node, isOpen: false } : Math.max(0, model.rowOf(parent));
}
