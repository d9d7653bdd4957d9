/**
 * Keys of the view: space trains and pauses, R rewinds, Escape lets a pinned sample go.
 *
 * A button that was clicked with the pointer does not keep the keyboard: space would press it again.
 */

/** @param {HTMLElement} root @param {{toggle: () => void, rewind: () => void, release: () => void}} acts @returns {() => void} */
export function listenToKeys(root, acts) {
  /** @param {KeyboardEvent} event */
  const listen = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") acts.release();
    else if (taken(event) || document.querySelector("dialog[open]")) return;
    else if (event.key === " ") acts.toggle();
    else if (event.code === "KeyR") acts.rewind();
    else return;
    if (event.key === " ") event.preventDefault(); // the page would scroll
  };
  /** @param {MouseEvent} event */
  const leave = (event) => {
    const focused = /** @type {HTMLElement|null} */ (document.activeElement);
    if (event.detail > 0 && focused?.tagName === "BUTTON" && root.contains(focused)) focused.blur();
  };
  document.addEventListener("keydown", listen);
  root.addEventListener("click", leave);
  return () => {
    document.removeEventListener("keydown", listen);
    root.removeEventListener("click", leave);
  };
}

/** Whether the focused element has its own use for this key. @param {KeyboardEvent} event */
export function taken(event) {
  const target = /** @type {HTMLElement|null} */ (event.target);
  if (!target || target === document.body) return false;
  if (target.isContentEditable) return true;
  const input = /** @type {HTMLInputElement} */ (target);
  if (target.tagName === "INPUT" && input.type === "range") return false;
  if (["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)) return true;
  const presses = ["BUTTON", "A", "SUMMARY", "LABEL"].includes(target.tagName);
  return event.key === " " && (presses || ["button", "radio", "tab", "option"].includes(target.role ?? ""));
}
