import { ApiError, sendJson } from '../data/api.js';
import { useEffect, useMemo, useRef, useState } from '../preact.js';
import { pageSize, TreeModel } from './tree-model.js';

/** @import { TraceUsageRes } from '../../src/openapi-types.ts' */
/** @import { ApiRequest } from '../data/api.js' */
/** @import { TreeNode } from './tree-model.js' */

/**
 * @typedef {object} Tree
 * @property {TreeModel} model
 * @property {ApiError | undefined} error of the last page that could not be read
 * @property {boolean} isLoading
 * @property {(parent: TreeNode, index: number) => void} read reads the page of a child, unless it was read
 * @property {(node: TreeNode, isOpen: boolean) => void} setOpen
 * @property {() => void} retry
 */

/** Pages that are read at a time. */
const maxRequested = 4;

/**
 * The calls of a trace, of which each page is read when it is looked at.
 * @param {string} projectId
 * @param {string} traceId
 * @returns {Tree}
 */
export function useTree(projectId, traceId) {
  const model = useMemo(() => new TreeModel(), [projectId, traceId]);
  const [, redraw] = useState(0);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const requested = useRef(/** @type {Map<TreeNode, Set<number>>} */ (new Map()));
  const abort = useMemo(() => new AbortController(), [projectId, traceId]);
  const countRequested = () =>
    [...requested.current.values()].reduce((sum, pages) => sum + pages.size, 0);

  const read = (/** @type {TreeNode} */ parent, /** @type {number} */ index) => {
    const page = Math.floor(index / pageSize);
    const pages = requested.current.get(parent) ?? new Set();
    if (parent.pages.has(page) || pages.has(page) || countRequested() >= maxRequested) return;
    requested.current.set(parent, pages.add(page));
    sendJson(toLevelRequest(projectId, traceId, parent.id, page), abort.signal)
      .then(
        (answer) => {
          model.addPage(parent, page, /** @type {TraceUsageRes} */ (answer));
          openOnlyTop(model);
          setError(undefined);
        },
        (/** @type {unknown} */ cause) => {
          if (!abort.signal.aborted)
            setError(cause instanceof ApiError ? cause : new ApiError(500, String(cause)));
        },
      )
      .finally(() => {
        pages.delete(page);
        if (!abort.signal.aborted) redraw((count) => count + 1);
      });
  };
  const setOpen = (/** @type {TreeNode} */ node, /** @type {boolean} */ isOpen) => {
    node.parent?.open[isOpen ? 'add' : 'delete'](node);
    redraw((count) => count + 1);
  };
  useEffect(() => {
    read(model.root, 0);
    return () => abort.abort();
  }, [model]);
  const retry = () => {
    setError(undefined);
    read(model.root, 0);
  };
  return { model, error, isLoading: countRequested() > 0, read, setOpen, retry };
}

/**
 * A trace mostly has one top call, which nobody wants to open first.
 * @param {TreeModel} model
 */
function openOnlyTop({ root }) {
  const top = root.pages.get(0)?.[0];
  if (root.total === 1 && top !== undefined && top.pages.size === 0 && top.total > 0)
    root.open.add(top);
}

/**
 * @param {string} projectId
 * @param {string} traceId
 * @param {string} parentId empty for the top calls
 * @param {number} page
 * @returns {ApiRequest}
 */
export function toLevelRequest(projectId, traceId, parentId, page) {
  const level = {
    parent_id: parentId === '' ? null : parentId,
    limit: pageSize,
    offset: page * pageSize,
  };
  return {
    method: 'POST',
    path: '/trace/usage',
    body: { project_id: projectId, filter: { trace_ids: [traceId] }, include_costs: true, level },
  };
}
