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
    KeyL: () => page.bar.share.toggle(),
  };
  /** @param {KeyboardEvent} event */
  const listen = (event) => {
    if (!page.data || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "?") page.bar.keys.toggle();
    else if (document.querySelector("dialog[open]") || taken(event) || used(event)) return;
    else if (/^[1-9]$/.test(event.key)) page.choose(Number(event.key) - 1);
    else if (acts[event.key] ?? acts[event.code]) (acts[event.key] ?? acts[event.code])();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}

/** A slider moves by arrows, a button is pressed by Enter: those keys are not the lecture's then. @param {KeyboardEvent} event */
function used({ key, target }) {
  const at = /** @type {HTMLElement} */ (target);
  const slides = at.tagName === "INPUT" || at.role === "slider" || at.tagName === "SELECT";
  const presses = ["BUTTON", "A", "SUMMARY"].includes(at.tagName);
  if (key.startsWith("Arrow") || key.startsWith("Page")) return slides && !(key.startsWith("Page") && at.tagName === "INPUT" && /** @type {HTMLInputElement} */ (at).type === "radio");
  return key === "Enter" && presses;
}
