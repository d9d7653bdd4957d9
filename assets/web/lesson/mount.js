/**
 * The lecture inside the app: Streamlit hands in a lesson's data and hears where to go. The page is
 * built once and kept on its parent across all updates.
 *
 * @typedef {import("../live.js").Component} Component
 */
import { keep, letGo } from "../kept.js";
import { loadStyle } from "../live.js";
import { loadPlotly } from "../plotly.js";
import { LecturersPage } from "../classroom/lecturer.js";
import { LessonPage } from "./page.js";
import { fetchTape } from "./tapes.js";

/** @type {WeakMap<HTMLElement, Component>} the newest call of each place: what wishes go to */
const newest = new WeakMap();

/** @param {Component} component */
export function mount(component) {
  const { parentElement: place, data } = component;
  for (const name of ["live.css", "lesson/lesson.css", "lesson/diagrams.css", ...(data.room ? ["classroom/poll.css"] : [])]) loadStyle(name);
  newest.set(place, component);
  const told = { ...data, app: new URL("./", location.href).href, hasNotes: true };
  const host = hostOf(data.base, () => newest.get(place));
  keep(component, (parent) => (data.room ? new LecturersPage(parent, host, data.base) : new LessonPage(parent, host)), told);
  return () => unmount(component);
}

export const unmount = letGo;

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
    tape: (name) => fetchTape(base, name),
  };
}
