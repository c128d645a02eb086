import { toBoundedCost, toCount, toDuration, toShortName, toTitle } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { ShareBar } from '../parts/share-bar.js';
import { html } from '../preact.js';

/** @import { TreeCall } from '../../src/openapi-types.ts' */
/** @import { CallTotals, TreeNode } from './tree-model.js' */

/** Deeper calls are not moved further to the right. */
const maxIndent = 14;

/**
 * @param {object} props
 * @param {number} props.row
 * @param {number} props.y
 * @param {TreeNode} props.node
 * @param {boolean} props.isOpen
 * @param {boolean} props.isFocused
 * @param {boolean} props.isBilled
 * @param {number} props.totalUsd cost of the trace
 * @param {(node: TreeNode, isOpen: boolean) => void} props.setOpen
 * @param {(node: TreeNode | undefined) => void} props.setBilled
 * @param {(row: number) => void} props.focus
 */
export function CallRow({
  row,
  y,
  node,
  isOpen,
  isFocused,
  isBilled,
  totalUsd,
  setOpen,
  setBilled,
  focus,
}) {
  const { call, totals } = node;
  if (call === undefined) return null;
  const toggle = (/** @type {MouseEvent} */ event) => {
    event.stopPropagation();
    focus(row);
    setOpen(node, !isOpen);
  };
  const choose = () => {
    focus(row);
    setBilled(isBilled ? undefined : node);
  };
  return html`<div
    class=${`tree-row ${isBilled ? 'chosen' : ''}`}
    role="row"
    aria-level=${node.depth + 1}
    aria-rowindex=${row + 2}
    aria-setsize=${node.parent?.total}
    aria-posinset=${node.index + 1}
    aria-expanded=${node.total > 0 ? isOpen : undefined}
    aria-selected=${isBilled}
    tabindex=${isFocused ? 0 : -1}
    style=${{ transform: `translateY(${y}px)` }}
    onClick=${choose}
  >
    <span role="gridcell" class="tree-name" style=${toIndent(node.depth)}>
      <span
        class=${`tree-toggle ${isOpen ? 'open' : ''}`}
        onClick=${node.total > 0 ? toggle : undefined}
      >
        ${node.total > 0 && html`<${Icon} name="right" />`}
      </span>
      <${Name} call=${call} />
    </span>
    <${Numbers} ...${{ call, totals, totalUsd }} />
  </div>`;
}

/** @param {{ call: TreeCall, totals: CallTotals, totalUsd: number }} props */
function Numbers({ call, totals, totalUsd }) {
  const share = totalUsd > 0 ? (totals.costUsd ?? 0) / totalUsd : 0;
  const none = html`<span class="muted">–</span>`;
  return html`<span role="gridcell" class="tree-model wide-only"
      ><${Model} models=${totals.models}
    /></span>
    <span role="gridcell" class="number wide-only">${toCallDuration(call) ?? none}</span>
    <span role="gridcell" class="number wide-only"
      >${totals.tokens === 0 ? none : toCount(totals.tokens)}</span
    >
    <span role="gridcell" class="number strong"><${Cost} totals=${totals} /></span>
    <span role="gridcell" class="wide-only"><${ShareBar} share=${share} /></span>`;
}

/** A call that is being read. @param {{ row: number, y: number, depth: number }} props */
export function PendingRow({ row, y, depth }) {
  return html`<div
    class="tree-row"
    role="row"
    aria-rowindex=${row + 2}
    aria-level=${depth + 1}
    tabindex="-1"
    style=${{ transform: `translateY(${y}px)` }}
  >
    <span role="gridcell" class="tree-name" style=${toIndent(depth)}>
      <span class="tree-toggle"></span><span class="skeleton-line pending"></span
      ><span class="hidden">Loading</span>
    </span>
  </div>`;
}

/** @param {number} depth */
function toIndent(depth) {
  return { '--depth': Math.min(depth, maxIndent) };
}

/** @param {{ call: TreeCall }} props */
function Name({ call: { op_name, display_name, has_error, ended_at, counts_less, descendants } }) {
  const name = display_name ?? op_name;
  return html`<bdi class="name" title=${toTitle(name)}>${toShortName(name)}</bdi>
    ${descendants > 0 && html`<span class="tree-count">${toCount(descendants)}</span>`}
    ${has_error && html`<span class="mark bad-mark">✗ error</span>`}
    ${ended_at === null && html`<span class="mark running-mark">● running</span>`}
    ${
      counts_less &&
      html`<span
        class="mark muted"
        title="Alone, this call would answer more: its trace reports some of its usage twice, and counts it elsewhere."
      >
        counted elsewhere
      </span>`
    }`;
}

/** @param {{ models: string[] }} props */
function Model({ models }) {
  const [only] = models;
  if (only === undefined) return null;
  if (models.length > 1)
    return html`<span title=${toTitle(models.join(', '))}>${toCount(models.length)} models</span>`;
  return html`<bdi title=${toTitle(only)}>${toShortName(only)}</bdi>`;
}

/** @param {TreeCall} call */
function toCallDuration({ started_at, ended_at }) {
  if (ended_at === null) return undefined;
  return toDuration(Math.max(0, Date.parse(ended_at) - Date.parse(started_at)));
}

/** @param {{ totals: CallTotals }} props */
function Cost({ totals: { models, costUsd, isLowerBound } }) {
  if (models.length === 0) return html`<span class="muted">–</span>`;
  if (costUsd === null) return html`<span class="unpriced">unpriced</span>`;
  return html`${toBoundedCost(costUsd, isLowerBound)}`;
}
