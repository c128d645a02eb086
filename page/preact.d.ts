/** Types of `preact.js`, which the service reads from the package. */
export * from 'htm/preact/standalone';
export { createContext } from 'preact';
