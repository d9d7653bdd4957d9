/** A run on a student's page: the live view, watched and not steered. */
import { loadPlotly } from "../plotly.js";
import { View } from "../view.js";

export class RunStage {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.parent = parent;
    /** @type {string|undefined} */
    this.mode = undefined;
  }

  /** @param {{token: string, mode: string, projection?: string|null, [more: string]: any}} run @param {{base: string, theme: string, lang: string, strings: Record<string, string>}} look */
  show({ token, mode, projection, sweep, members, taped, still }, look) {
    // Each mode has a face of its own.
    if (this.mode !== mode) this.clear();
    this.mode = mode;
    this.view ??= new View(this.parent, loadPlotly);
    /** @type {any} */
    const data = {
      ...look, token, mode, projection: projection ?? undefined, sweep: sweep ?? undefined, members: members ?? undefined, taped, still,
      readonly: true, controls: [], ranges: {}, autoplay: false, view: "normal", project_to_circle: false,
    };
    this.view.update({ parentElement: this.parent, data, setStateValue() {}, setTriggerValue() {} });
  }

  clear() {
    this.view?.dispose();
    this.view = this.mode = undefined;
  }
}
