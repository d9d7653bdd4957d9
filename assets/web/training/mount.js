/** Entry of the view of a full-scale run: built once on its place on the page, later calls only update it. */
import { keep, letGo } from "../kept.js";
import { loadStyle } from "../live.js";
import { TrainingView } from "./page.js";

/** @param {import("../live.js").Component} component */
export function mount(component) {
  loadStyle("live.css");
  loadStyle("training/training.css");
  keep(component, (parent) => new TrainingView(parent), component);
  return () => letGo(component);
}

export const unmount = letGo;
