import { Box, Skeleton } from '../parts/box.js';
import { toBoundedCost, toCount, toShortName } from '../parts/format.js';
import { Icon } from '../parts/icon.js';
import { html, useEffect, useRef, useState } from '../preact.js';
import { Bill } from './bill.js';
import { TreeGrid } from './tree-grid.js';
import { toLevelRequest, useTree } from './use-tree.js';

/** @import { Navigate, View } from '../data/address.js' */
/** @import { TreeModel, TreeNode } from './tree-model.js' */

/**
 * The calls of the chosen trace, each with what it contributes to the trace, descendants included.
 * @param {{ view: View, navigate: Navigate }} props
 */
export function TreeBox({ view: { project, trace }, navigate }) {
  const tree = useTree(project, trace);
  const [billed, setBilled] = useState(/** @type {TreeNode | undefined} */ (undefined));
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const isRead = tree.model.root.pages.size > 0;
  useEffect(() => {
    if (isRead) box.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }, [isRead]);
  const query = {
    data: isRead || undefined,
    error: tree.error,
    isLoading: false,
    retryAt: 0,
    retry: tree.retry,
  };
  const aside = html`<button
    type="button"
    class="button quiet"
    onClick=${() => navigate({ trace: '' })}
  >
    <${Icon} name="close" />Close
  </button>`;
  const request = toLevelRequest(project, trace, '', 0);
  return html`<div ref=${box}>
    <${Box}
      id="tree"
      ...${{ title: html`<${Title} ...${{ model: tree.model, trace }} />`, aside, request, query }}
    >
      ${
        isRead
          ? html`<${TreeGrid} ...${{ tree, billed, setBilled }} /> ${
                billed !== undefined &&
                html`<${Bill}
                  key=${billed.id}
                  ...${{ project, node: billed, close: () => setBilled(undefined) }}
                />`
              }`
          : html`<${Skeleton} lines=${6} />`
      }
    <//>
  </div>`;
}

/** @param {{ model: TreeModel, trace: string }} props */
function Title({ model: { root }, trace }) {
  const tops = root.pages.get(0) ?? [];
  const [top] = tops;
  if (top?.call === undefined) return html`Trace <code class="id">${trace.slice(0, 80)}</code>`;
  const calls = tops.reduce((sum, { call }) => sum + 1 + (call?.descendants ?? 0), 0);
  const { costUsd, isLowerBound } = top.totals;
  const cost = root.total === 1 ? `, ${toBoundedCost(costUsd, isLowerBound)}` : '';
  return html`<bdi>${toShortName(top.call.display_name ?? top.call.op_name)}</bdi>${' '}
    <span class="count">${toCount(calls)} ${calls === 1 ? 'call' : 'calls'}${cost}</span>${' '}
    <code class="id">${trace.slice(0, 80)}</code>`;
}
