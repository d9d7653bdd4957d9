/**
 * The lecture inside the app: Streamlit hands in a lesson's data and hears where to go. The page is
 * built once and kept on its parent across all updates.
 *
 * @typedef {import("../live.js").Component} Component
 */
import { loadStyle } from "../live.js";
import { loadPlotly } from "../plotly.js";
import { LessonPage } from "./page.js";

const KEY = "__facevisLesson";
const GRACE = 1500;

/** @param {Component} component */
export function mount(component) {
  const parent = /** @type {any} */ (component.parentElement);
  const { base } = component.data;
  loadStyle("live.css");
  loadStyle("lesson/lesson.css");
  loadStyle("lesson/diagrams.css");
  parent[KEY] ??= new LessonPage(parent, hostOf(base, () => parent.__facevisComponent));
  parent.__facevisComponent = component;
  parent[KEY].update({ ...component.data, app: new URL("./", location.href).href, hasNotes: true });
  return () => unmount(component);
}

/** @param {Component} component */
export function unmount(component) {
  const parent = /** @type {any} */ (component.parentElement);
  setTimeout(() => {
    if (!parent[KEY] || parent.isConnected) return;
    parent[KEY].dispose();
    delete parent[KEY];
  }, GRACE);
}

/** @param {string} base @param {() => Component} component @returns {import("./page.js").Host} */
function hostOf(base, component) {
  const lang = () => component().data.lang;
  return {
    go: (number) => component().setTriggerValue("go", number),
    present: (on) => component().setTriggerValue("present", on ? "present" : "normal"),
    link: (query) => `${location.origin}${location.pathname}?${new URLSearchParams(query)}`,
    notes: (number) => `${base}/notes/${lang()}#lesson-${number}`,
    qr: (text) => `${base}/qr.svg?text=${encodeURIComponent(text)}`,
    loadPlotly,
    tape: async (name) => {
      const answer = await fetch(`${base}/tapes/${name}.tape`);
      if (!answer.ok) throw new Error(`${name}.tape: ${answer.status}`);
      return new Uint8Array(await answer.arrayBuffer());
    },
  };
}
