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
import { keep, letGo } from "./kept.js";
import { loadPlotly } from "./plotly.js";
import { View } from "./view.js";

/** @param {Component} component */
export function mount(component) {
  loadStyle("live.css");
  keep(component, (parent) => new View(parent, loadPlotly), component);
  return () => unmount(component);
}

export const unmount = letGo;

/** A style sheet of ours, once. @param {string} name */
export function loadStyle(name) {
  const href = new URL(`./${name}`, import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}
