/**
 * Entry of the live view. Streamlit calls `mount` again at every change of the data: the view is
 * built once and kept on the parent element, later calls only update it.
 *
 * @typedef {Object} Component
 * @property {HTMLElement} parentElement
 * @property {any} data
 * @property {(name: string, value: any) => void} setStateValue
 * @property {(name: string, value: any) => void} setTriggerValue
 */
import { loadPlotly } from "./plotly.js";
import { View } from "./view.js";

const KEY = "__facevisView";
const GRACE = 1500;

/** @param {Component} component */
export function mount(component) {
  const parent = /** @type {any} */ (component.parentElement);
  loadStyle("live.css");
  if (!parent[KEY]) parent[KEY] = new View(parent, loadPlotly);
  parent[KEY].update(component);
  return () => unmount(component);
}

/** End a view whose place on the page is gone; a mere rerun leaves it alone. @param {Component} component */
export function unmount(component) {
  const parent = /** @type {any} */ (component.parentElement);
  setTimeout(() => {
    if (!parent[KEY] || parent.isConnected) return;
    parent[KEY].dispose();
    delete parent[KEY];
  }, GRACE);
}

/** A style sheet of ours, once. @param {string} name */
export function loadStyle(name) {
  const href = new URL(`./${name}`, import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}
