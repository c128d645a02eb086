import { html, useEffect, useRef, useState } from '../preact.js';

/** @import { VNode } from 'preact' */

/**
 * A button that opens a panel. Escape and a click elsewhere close it.
 * @param {object} props
 * @param {unknown} props.label content of the button
 * @param {string} [props.name] of the button, where its content is a picture
 * @param {string} [props.kind] class of the button
 * @param {'start' | 'end'} [props.align] which edge of the button the panel shares
 * @param {(close: () => void) => VNode} props.children content of the panel
 */
export function Popover({ label, name, kind = 'button', align = 'start', children }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const close = () => {
    setOpen(false);
    root.current?.querySelector('button')?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    const onPointer = (/** @type {PointerEvent} */ { target }) => {
      if (target instanceof Node && root.current?.contains(target) === false) setOpen(false);
    };
    addEventListener('pointerdown', onPointer);
    root.current?.querySelector('input')?.focus();
    return () => removeEventListener('pointerdown', onPointer);
  }, [isOpen]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.stopPropagation();
    close();
  };
  return html`<div class="popover" ref=${root} onKeyDown=${onKeyDown}>
    <button
      type="button"
      class=${kind}
      aria-label=${name}
      title=${name}
      aria-expanded=${isOpen}
      onClick=${() => setOpen(!isOpen)}
    >
      ${label}
    </button>
    ${isOpen && html`<div class=${`panel panel-${align}`}>${children(close)}</div>`}
  </div>`;
}
