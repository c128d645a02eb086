import { useCallback, useEffect, useState } from '../preact.js';

/** What a view shows; everything is in the address, so that it can be shared. Missing values are empty. */
const defaults = {
  project: '',
  /** A preset, or `from` and `to`. */
  range: '',
  from: '',
  to: '',
  /** @type {'model' | 'op_name' | 'wb_user_id'} */
  by: 'model',
  /** @type {'cost' | 'tokens'} */
  measure: 'cost',
  sort: 'cost',
  direction: 'desc',
  search: '',
  model: '',
  user: '',
  /** @type {'' | 'errors' | 'running'} */
  only: '',
  /** The trace whose tree is shown. */
  trace: '',
};

/** @typedef {typeof defaults} View */

/** The values of names that have a closed set of them. */
const allowed = /** @type {const} */ ({
  by: ['model', 'op_name', 'wb_user_id'],
  measure: ['cost', 'tokens'],
  sort: ['started_at', 'cost', 'total_tokens', 'duration', 'call_count'],
  direction: ['asc', 'desc'],
  only: ['', 'errors', 'running'],
});

/**
 * @typedef {(change: Partial<View>, options?: { replace?: boolean }) => void} Navigate `replace` adds no step to the
 *   history, as while somebody types
 */

/**
 * The view in the address, and how to change it.
 * @returns {[View, Navigate]}
 */
export function useAddress() {
  const [view, setView] = useState(() => parseAddress(location.search));
  useEffect(() => {
    const read = () => setView(parseAddress(location.search));
    addEventListener('popstate', read);
    return () => removeEventListener('popstate', read);
  }, []);
  /** @type {Navigate} */
  const navigate = useCallback((change, { replace = false } = {}) => {
    const next = { ...parseAddress(location.search), ...change };
    const address = toAddress(next);
    if (address === location.search) return;
    history[replace ? 'replaceState' : 'pushState'](null, '', address || location.pathname);
    setView(next);
  }, []);
  return [view, navigate];
}

/**
 * Names and values that are not known count as absent.
 * @param {string} search
 * @returns {View}
 */
function parseAddress(search) {
  const parameters = new URLSearchParams(search);
  const entries = Object.entries(defaults).map(([name, missing]) => {
    const value = parameters.get(name) ?? missing;
    const values = /** @type {Record<string, readonly string[]>} */ (allowed)[name];
    return /** @type {const} */ ([
      name,
      values === undefined || values.includes(value) ? value : missing,
    ]);
  });
  /** @type {Record<string, string>} */
  const view = Object.fromEntries(entries);
  return /** @type {View} */ (view);
}

/** @param {View} view */
function toAddress(view) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    if (value !== defaults[/** @type {keyof View} */ (name)]) parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
