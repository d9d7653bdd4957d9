/**
 * The page follows the machine from light to dark and back. Streamlit recolours what is its own; what
 * the script has chosen by the theme is asked for anew.
 */

/** Streamlit hears of the change as well, and has to be first. */
const AFTER_STREAMLIT = 150;

/** @type {WeakMap<Element | DocumentFragment, () => void>} */
const ends = new WeakMap();

/** @param {import("./live.js").Component} component */
export function mount({ parentElement, setTriggerValue }) {
  if (ends.has(parentElement)) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const tell = () => setTimeout(() => setTriggerValue("turned", dark.matches), AFTER_STREAMLIT);
  dark.addEventListener("change", tell);
  ends.set(parentElement, () => dark.removeEventListener("change", tell));
}

/** @param {import("./live.js").Component} component */
export function unmount({ parentElement }) {
  ends.get(parentElement)?.();
  ends.delete(parentElement);
}
