import { useState } from '../preact.js';

/**
 * The bucket that the pointer or the arrow keys chose.
 * @typedef {object} Cursor
 * @property {number | undefined} index
 * @property {{ first: number, last: number } | undefined} selection the bucket, or those that the pointer was dragged over
 * @property {Record<string, unknown>} handlers of the element
 */

/**
 * @param {object} options
 * @param {number} options.count of buckets
 * @param {(event: PointerEvent) => number} options.toIndex the bucket below the pointer
 * @param {(first: number, last: number) => void} options.choose called by a click, at the end of a drag, or by Enter
 * @returns {Cursor}
 */
export function useCursor({ count, toIndex, choose }) {
  const [index, setIndex] = useState(/** @type {number | undefined} */ (undefined));
  const [dragFrom, setDragFrom] = useState(/** @type {number | undefined} */ (undefined));
  const leave = () => {
    setIndex(undefined);
    setDragFrom(undefined);
  };
  const handlers = {
    onBlur: leave,
    onPointerLeave: leave,
    onPointerMove: (/** @type {PointerEvent} */ event) => setIndex(toIndex(event)),
    onPointerDown: (/** @type {PointerEvent} */ event) => {
      if (event.button === 0) setDragFrom(toIndex(event));
    },
    onPointerUp: (/** @type {PointerEvent} */ event) => {
      if (dragFrom !== undefined) choose(...inOrder(dragFrom, toIndex(event)));
      setDragFrom(undefined);
    },
    onKeyDown: (/** @type {KeyboardEvent} */ event) => {
      const next = moveCursor(event.key, index, count);
      if (next !== undefined) setIndex(next);
      else if (event.key === 'Enter' && index !== undefined) choose(index, index);
      else if (event.key === 'Escape') setIndex(undefined);
      else return;
      event.preventDefault();
    },
  };
  if (index === undefined || index >= count)
    return { index: undefined, selection: undefined, handlers };
  const [first, last] = inOrder(index, dragFrom ?? index);
  return { index, selection: { first, last }, handlers };
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {[number, number]}
 */
function inOrder(a, b) {
  return a < b ? [a, b] : [b, a];
}

/**
 * @param {string} key
 * @param {number | undefined} index
 * @param {number} count
 * @returns {number | undefined} undefined when the key moves nothing
 */
function moveCursor(key, index, count) {
  /** @type {Record<string, number>} */
  const moves = {
    ArrowRight: (index ?? -1) + 1,
    ArrowLeft: (index ?? count) - 1,
    Home: 0,
    End: count - 1,
  };
  const next = moves[key];
  return next === undefined ? undefined : Math.max(0, Math.min(count - 1, next));
}
