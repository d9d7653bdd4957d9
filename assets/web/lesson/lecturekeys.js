/** Keys and clicker of a lecture. Space and R belong to the live view; figures without one get them here. */
import { taken } from "../keys.js";

/** @param {import("./page.js").LessonPage} page @returns {() => void} */
export function listenToLecture(page) {
  /** @type {Record<string, () => void>} */
  const acts = {
    ArrowRight: () => page.next(),
    PageDown: () => page.next(),
    ArrowLeft: () => page.previous(),
    PageUp: () => page.previous(),
    Enter: () => page.enter(),
    KeyP: () => page.host.present(page.data.view !== "present"),
    KeyN: () => page.data.hasNotes && page.notes(),
    KeyJ: () => page.host.room?.toggle(),
    KeyL: () => !page.bar.share.el.hidden && page.bar.share.toggle(),
  };
  /** @param {KeyboardEvent} event */
  const listen = (event) => {
    if (!page.data || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "?") page.bar.keys.toggle();
    // A clicker has no key to close what it finds open.
    else if (page.host.room?.open && (event.code === "KeyJ" || event.key.startsWith("Page"))) page.host.room.toggle();
    else if (document.querySelector("dialog[open]")) return;
    else if (!event.key.startsWith("Page") && (used(event) || (taken(event) && !isRadio(event)))) return;
    else if (/^[1-9]$/.test(event.key)) page.choose(Number(event.key) - 1);
    else if (acts[event.key] ?? acts[event.code]) (acts[event.key] ?? acts[event.code])();
    else return;
    event.preventDefault();
  };
  // What was moved by the pointer gives the keys back: a clicker must go on after a drag.
  const release = () => setTimeout(() => {
    const at = /** @type {HTMLElement|null} */ (document.activeElement);
    if (at?.tagName === "INPUT" && page.root.contains(at) && !/** @type {HTMLInputElement} */ (at).readOnly) at.blur();
  });
  document.addEventListener("keydown", listen);
  page.root.addEventListener("pointerup", release);
  return () => document.removeEventListener("keydown", listen);
}

/** A slider moves by arrows, a button is pressed by Enter: those keys are not the lecture's then. @param {KeyboardEvent} event */
function used({ key, target }) {
  const at = /** @type {HTMLElement} */ (target);
  const slides = at.tagName === "INPUT" || at.role === "slider" || at.tagName === "SELECT";
  const presses = ["BUTTON", "A", "SUMMARY", "SELECT"].includes(at.tagName);
  return key.startsWith("Arrow") ? slides : key === "Enter" && presses;
}

/** A chosen answer keeps the focus; all but its arrows belongs to the lecture. @param {KeyboardEvent} event */
function isRadio({ target }) {
  return /** @type {HTMLInputElement} */ (target).type === "radio";
}
