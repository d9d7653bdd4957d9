/**
 * Small crisp line charts in SVG. A chart is told what to show as often as one likes; it draws at
 * most once a frame, or at once. Knows nothing of margins or training.
 *
 * @typedef {Object} Series
 * @property {number[][]} points      pairs of data coordinates; a NaN breaks the line
 * @property {string} tone            class name that carries the colour
 * @property {boolean} [dashed]
 * @property {boolean} [filled]       an area without an outline
 * @property {boolean} [bars]         the same, as strong as a line
 * @property {string} [label]         for the legend
 *
 * @typedef {Object} Spec
 * @property {Series[]} series
 * @property {[number, number]} x @property {[number, number]} y   domains
 * @property {[number, string][]} xTicks @property {[number, string][]} yTicks
 * @property {number} [mark]          a vertical line at this x
 * @property {number[]} [dot]         a point
 * @property {[number, number, string][]} [notes] words inside the plot
 */
import { h, svg } from "./dom.js";

const PAD = { left: 34, right: 10, top: 8, bottom: 22 };
/** A letter of the ticks, pixels, for which PAD is made; and as a share of the text around. */
const TICK = 11;
const TICK_SHARE = 0.72;

export class LineChart {
  /** @param {{title: string, height?: number, square?: boolean}} options */
  constructor(options) {
    this.options = options;
    this.title = h("h4", { text: options.title });
    this.readout = h("span", { class: "fv-chart-value" });
    this.legend = h("div", { class: "fv-legend" });
    this.svg = svg("svg", { role: "img", "aria-label": options.title });
    const head = h("div", { class: "fv-chart-head" }, this.title, this.readout);
    this.el = h("figure", { class: "fv-chart" }, head, this.svg, this.legend);
    /** @type {Spec|null} */
    this.spec = null;
    this.grid = svg("g", { class: "fv-grid-lines" });
    this.lines = svg("g");
    this.mark = svg("line", { class: "fv-mark", y1: PAD.top });
    this.dot = svg("circle", { class: "fv-dot", r: 4 });
    this.svg.append(this.grid, this.lines, this.mark, this.dot);
    /** @type {SVGPathElement[]} */
    this.paths = [];
    this.frameKey = "";
    /** @type {Series[]|null} */
    this.drawn = null;
    this.drawnKey = "";
    this.pad = PAD;
  }

  /** @param {Spec} spec @param {string} [readout] @param {boolean} [now] draw with what is being drawn, not in a frame of its own */
  show(spec, readout = "", now = false) {
    this.spec = spec;
    this.text = readout;
    if (now) {
      this.#draw();
      return;
    }
    if (this.handle) return;
    this.handle = requestAnimationFrame(() => {
      this.handle = 0;
      this.#draw();
    });
  }

  /** Another title. @param {string} text */
  entitle(text) {
    if (this.title.textContent === text) return;
    this.title.textContent = text;
    this.svg.setAttribute("aria-label", text);
  }

  /** The space has changed. */
  fit() {
    const width = this.el.clientWidth;
    const letter = parseFloat(getComputedStyle(this.el).fontSize) || TICK;
    const scale = Number(getComputedStyle(this.el).getPropertyValue("--fv-chart-scale")) || 1;
    if (!width || (width === this.width && letter === this.letter && scale === this.scale)) return;
    this.width = width;
    this.scale = scale;
    this.letter = letter;
    const large = Math.max(1, (letter * TICK_SHARE) / TICK);
    this.pad = { left: PAD.left * large, right: PAD.right * large, top: PAD.top, bottom: PAD.bottom * large };
    const wanted = this.options.square ? Math.min(width * 0.86, 230) : (this.options.height ?? 120) * Math.max(1, large / 1.25);
    this.height = Math.round(wanted * scale);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.svg.setAttribute("height", String(this.height));
    this.mark.setAttribute("y2", String(this.height - this.pad.bottom));
    this.frameKey = "";
    if (this.spec) this.show(this.spec, this.text);
  }

  #draw() {
    if (!this.spec || !this.el.isConnected) return;
    if (!this.width) {
      this.fit();
      if (!this.width) return;
    }
    this.#drawFrame();
    this.#drawSeries(this.spec.series);
    this.#drawMarks();
    if (this.readout.textContent !== this.text) this.readout.textContent = this.text ?? "";
  }

  /** The line at a step and the dot: moved, never made anew. */
  #drawMarks() {
    const { mark, dot } = this.spec;
    const marked = mark !== undefined && Number.isFinite(mark);
    this.mark.style.display = marked ? "" : "none";
    if (marked) this.mark.setAttribute("transform", `translate(${this.#x(mark).toFixed(1)} 0)`);
    const dotted = dot !== undefined && dot.every(Number.isFinite);
    this.dot.style.display = dotted ? "" : "none";
    if (dotted) {
      this.dot.setAttribute("cx", this.#x(dot[0]).toFixed(1));
      this.dot.setAttribute("cy", this.#y(dot[1]).toFixed(1));
    }
  }

  /** @param {number} value */
  #x(value) {
    const [low, high] = this.spec.x;
    return this.pad.left + ((value - low) / (high - low || 1)) * (this.width - this.pad.left - this.pad.right);
  }

  /** @param {number} value */
  #y(value) {
    const [low, high] = this.spec.y;
    return this.pad.top + (1 - (value - low) / (high - low || 1)) * (this.height - this.pad.top - this.pad.bottom);
  }

  /** Grid, ticks and legend, only when they differ. */
  #drawFrame() {
    const { x, y, xTicks, yTicks, series } = this.spec;
    const named = series.map(({ label, tone, dashed, bars, filled }) => label && [label, tone, dashed, bars, filled]);
    const key = JSON.stringify([x, y, xTicks, yTicks, named, this.spec.notes]);
    if (key === this.frameKey) return;
    this.frameKey = key;
    const [left, right] = [this.pad.left, this.width - this.pad.right];
    const bottom = this.height - this.pad.bottom;
    const parts = [];
    for (const [value, text] of yTicks) {
      const at = this.#y(value);
      parts.push(svg("line", { x1: left, x2: right, y1: at, y2: at }));
      parts.push(svg("text", { x: left - 6, y: at + this.pad.bottom * 0.16, "text-anchor": "end", text }));
    }
    xTicks.forEach(([value, text], i) => {
      const anchor = i === 0 ? "start" : i === xTicks.length - 1 ? "end" : "middle";
      parts.push(svg("text", { x: this.#x(value), y: bottom + this.pad.bottom * 0.68, "text-anchor": anchor, text }));
    });
    for (const [value, height, text] of this.spec.notes ?? []) {
      const place = { x: this.#x(value), y: this.#y(height), "text-anchor": "middle" };
      parts.push(svg("text", { class: "fv-note", ...place, text }));
    }
    this.grid.replaceChildren(...parts);
    this.legend.replaceChildren(
      ...series.filter((s) => s.label).map((s) => h("span", { class: `${s.tone}${s.dashed ? " fv-dashed" : ""}${s.bars || s.filled ? " fv-swatch" : ""}`, text: s.label })),
    );
  }

  /** @param {Series[]} series */
  #drawSeries(series) {
    // A mark that moves leaves the lines as they are.
    const key = `${this.width}|${this.height}|${this.frameKey}`;
    if (series === this.drawn && key === this.drawnKey) return;
    this.drawn = series;
    this.drawnKey = key;
    while (this.paths.length < series.length) {
      const path = svg("path");
      this.paths.push(path);
      this.lines.append(path);
    }
    this.paths.forEach((path, i) => {
      const one = series[i];
      path.setAttribute("d", one ? this.#path(one.points, one.filled || one.bars) : "");
      if (!one) return;
      const shape = one.bars ? "fv-area fv-bars" : one.filled ? "fv-area" : one.dashed ? "fv-line fv-dashed" : "fv-line";
      path.setAttribute("class", `${shape} ${one.tone}`);
    });
  }

  /** @param {number[][]} points @param {boolean} [closed] */
  #path(points, closed) {
    const [low, high] = this.spec.y;
    let d = "";
    let pen = "M";
    for (const [x, y] of points) {
      if (!Number.isFinite(y)) {
        pen = "M";
        continue;
      }
      const inside = Math.min(high, Math.max(low, y));
      d += `${pen}${this.#x(x).toFixed(1)} ${this.#y(inside).toFixed(1)}`;
      pen = "L";
    }
    return closed && d ? `${d}Z` : d;
  }
}
