import { html, useEffect, useRef, useState } from '../preact.js';

/** How long somebody has to stop typing before the text counts. */
const typingMs = 250;

/**
 * An input whose value counts when somebody stops typing, so that not every key sends a request.
 * @param {object} props
 * @param {string} props.type
 * @param {string} props.placeholder
 * @param {string} [props.name] for screen readers, where no label has one
 * @param {string} props.value
 * @param {(value: string) => void} props.onChange
 */
export function TypedInput({ type, placeholder, name, value, onChange }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    // A value that was typed here arrives when more may have been typed.
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => {
      sent.current = text;
      onChange(text);
    }, typingMs);
    return () => clearTimeout(timer);
  }, [text]);
  const onInput = (/** @type {InputEvent} */ { target }) =>
    setText(/** @type {HTMLInputElement} */ (target).value);
  return html`<input ...${{ type, placeholder, onInput }} aria-label=${name} value=${text} />`;
}
