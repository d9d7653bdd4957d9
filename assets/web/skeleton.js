/**
 * The frame of the page: where stage, transport and panel sit, how large the stage is, which
 * colours hold. Knows no run.
 */
import { h } from "./dom.js";

export class Skeleton {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.plot = h("div", { class: "fv-plot" });
    this.canvas = h("canvas", { class: "fv-layer", "aria-hidden": "true" });
    this.tip = h("div", { class: "fv-tip", role: "status", hidden: true });
    this.notice = h("div", { class: "fv-notice", role: "status", hidden: true });
    this.stage = h("div", { class: "fv-stage", role: "img" }, this.plot, this.canvas, this.tip, this.notice);
    this.transport = h("div", { class: "fv-transport" });
    this.panel = h("div", { class: "fv-panel" });
    this.left = h("div", { class: "fv-left" }, this.stage, this.transport);
    this.grid = h("div", { class: "fv-grid" }, this.left, this.panel);
    this.root = h("div", { class: "fv-root" }, this.grid);
    parent.append(this.root);
    /** Resolves when the style sheet is in force: colours and sizes can be read. */
    this.styled = this.#styled().then(() => this.fit());
  }

  /** @returns {Promise<void>} */
  #styled() {
    const there = () => getComputedStyle(this.root).getPropertyValue("--fv-ink") !== "";
    return new Promise((resolve) => {
      const look = () => (there() ? resolve() : setTimeout(look, 15));
      look();
    });
  }

  /** Fresh hosts for a new scene: Plotly leaves listeners on the old ones. */
  hosts() {
    const plot = h("div", { class: "fv-plot" });
    const canvas = h("canvas", { class: "fv-layer", "aria-hidden": "true" });
    this.plot.replaceWith(plot);
    this.canvas.replaceWith(canvas);
    this.plot = plot;
    this.canvas = canvas;
    return { plot, canvas };
  }

  /** @param {string} theme @param {string} view */
  setLook(theme, view) {
    this.root.dataset.theme = theme === "dark" ? "dark" : "light";
    this.root.dataset.view = view ?? "normal";
  }

  /** The stage as a square: as wide as its column, no higher than what the window leaves. */
  fit() {
    const width = this.root.clientWidth;
    if (!width) return;
    const letters = width / ((parseFloat(getComputedStyle(this.root).fontSize) || 14) / 14);
    const shape = letters >= 1240 ? "large" : letters >= 720 ? "medium" : "small";
    this.root.dataset.width = shape;
    const room = Math.max(380, window.innerHeight - 190);
    const column = { large: width * 0.5, medium: width * 0.57, small: width }[shape];
    const side = Math.floor(shape === "small" ? column : Math.min(column, room));
    this.root.style.setProperty("--fv-side", `${side}px`);
    return shape;
  }

  colors() {
    const style = getComputedStyle(this.root);
    const read = (/** @type {string} */ name) => style.getPropertyValue(`--fv-${name}`).trim();
    return {
      ink: read("ink"),
      mute: read("mute"),
      grid: read("grid"),
      rim: read("rim"),
      sphere: read("sphere"),
      shade: read("shade"),
      halo: read("halo"),
      accent: read("accent"),
      warn: read("warn"),
      background: read("background"),
      wedge: Number(read("wedge")),
      family: style.fontFamily,
    };
  }

  /** @param {string} text */
  describe(text) {
    this.stage.setAttribute("aria-label", text);
  }

  /** A message over the stage; an empty one goes away. @param {string} text @param {string} [kind] @param {number} [forMs] */
  say(text, kind = "quiet", forMs = 0) {
    clearTimeout(this.noticeTimer);
    this.notice.textContent = text;
    this.notice.dataset.kind = kind;
    this.notice.hidden = !text;
    if (forMs) this.noticeTimer = setTimeout(() => this.say(""), forMs);
  }
}
