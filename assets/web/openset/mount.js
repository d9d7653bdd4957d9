/** Entry of the open-set report: built once on its place on the page, later calls only update it. */
import { keep, letGo } from "../kept.js";
import { loadStyle } from "../live.js";
import { OpenSet } from "./page.js";

/** @param {import("../live.js").Component} component */
export function mount(component) {
  loadStyle("live.css");
  loadStyle("openset/openset.css");
  keep(component, (parent) => new OpenSet(parent), component);
  return () => letGo(component);
}

export const unmount = letGo;
