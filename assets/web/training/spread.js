/**
 * How angles to the own and to the nearest other prototype spread over the time of a run: a picture
 * with a column for each moment, and the moment under the hand as a histogram beside it.
 */
import { h, write } from "../dom.js";
import { LineChart } from "../linechart.js";
import { decimal, compact } from "../words.js";
import { hasSpread, median, spreadSpec, usedDegrees } from "./curves.js";

const PAD = { left: 36, right: 10, top: 8, bottom: 22 };
const HEIGHT = 230;
/** Width of a slider's thumb, px. */
const THUMB = 16;

export class Spread {
  /** @param {any} words @param {string} lang @param {() => void} onchoose hears of another moment */
  constructor(words, lang, onchoose) {
    this.words = words;
    this.onchoose = onchoose;
    this.lang = lang;
    this.canvas = h("canvas", { class: "fv-heat", role: "img" });
    this.range = h("input", { type: "range", class: "fv-range", min: 0, max: 0, step: 1, "aria-label": words("full_moment"), oninput: () => this.#choose() });
    this.said = h("p", { class: "fv-quiet-note" });
    this.chart = new LineChart({ title: words("full_spread_now"), height: HEIGHT - 34 });
    const legend = h("div", { class: "fv-legend" }, h("span", { class: "fv-tone-unseen fv-swatch", text: words("full_nearest_other") }), h("span", { class: "fv-tone-accent fv-swatch", text: words("full_own") }), h("span", { text: words("full_median_lines") }));
    const picture = h("figure", { class: "fv-chart" }, h("div", { class: "fv-chart-head" }, h("h4", { text: words("full_spread") })), this.canvas, this.range, legend);
    this.el = h("div", { class: "fv-training-two", hidden: true }, picture, h("div", {}, this.chart.el, this.said));
    /** @type {any[]} */
    this.entries = [];
  }

  /** @param {any[]} angles @param {number} last the run's last step */
  show(angles, last) {
    const entries = angles.filter(hasSpread);
    this.last = last;
    this.el.hidden = !entries.length;
    const atEnd = Number(this.range.value) >= this.entries.length - 1;
    const same = entries.length === this.entries.length && entries[entries.length - 1] === this.entries[this.entries.length - 1];
    this.entries = entries;
    if (same || !entries.length) return;
    this.range.max = String(entries.length - 1);
    this.range.disabled = entries.length < 2;
    if (atEnd) this.range.value = this.range.max;
    this.#choose();
  }

  /** The moment under the hand. */
  get chosen() {
    return this.entries[Math.min(Number(this.range.value), this.entries.length - 1)];
  }

  #choose() {
    const { chosen, words, lang } = this;
    if (!chosen) return;
    const at = compact(chosen.step, lang);
    this.range.setAttribute("aria-valuetext", words("full_step", { step: at }));
    this.range.style.setProperty("--fv-fill", `${this.entries.length > 1 ? (100 * Number(this.range.value)) / (this.entries.length - 1) : 100}%`);
    this.chart.entitle(words("full_spread_at", { step: at }));
    this.chart.show(spreadSpec(chosen, words));
    const degrees = (/** @type {number[]} */ counts) => decimal(median(counts), lang, 1);
    const text = words("full_medians", { own: degrees(chosen.own), other: degrees(chosen.nearest_other), identities: compact(chosen.identities ?? 0, lang) });
    write(this.said, text);
    this.canvas.setAttribute("aria-label", `${words("full_spread")}. ${words("full_step", { step: at })}: ${text}`);
    this.onchoose();
    this.fit();
  }

  fit() {
    this.chart.fit();
    const width = this.canvas.parentElement?.clientWidth;
    if (!width || !this.entries.length) return;
    const scale = window.devicePixelRatio || 1;
    this.canvas.style.height = `${HEIGHT}px`;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(HEIGHT * scale);
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.scale(scale, scale);
    this.#draw(context, width);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} width */
  #draw(context, width) {
    const style = getComputedStyle(this.el);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const [low, high] = usedDegrees(this.entries);
    const [right, bottom] = [width - PAD.right, HEIGHT - PAD.bottom];
    const x = (/** @type {number} */ step) => PAD.left + (step / (this.last || 1)) * (right - PAD.left);
    const y = (/** @type {number} */ angle) => bottom - ((angle - low) / (high - low)) * (bottom - PAD.top);
    context.clearRect(0, 0, width, HEIGHT);
    this.#ticks(context, [low, high], { x, y, right, ink: colour("--fv-mute"), grid: colour("--fv-grid") });
    const edges = this.#edges().map(x);
    context.save();
    for (const [name, tone] of [["nearest_other", colour("--fv-unseen")], ["own", colour("--fv-accent")]]) {
      context.fillStyle = tone;
      this.entries.forEach((entry, i) => {
        const counts = entry[name];
        const most = Math.max(1, ...counts);
        for (let k = low; k < high; k += 1) {
          if (!counts[k]) continue;
          context.globalAlpha = 0.85 * Math.sqrt(counts[k] / most);
          context.fillRect(edges[i], y(k + 1), edges[i + 1] - edges[i], y(k) - y(k + 1) + 0.3);
        }
      });
    }
    context.restore();
    this.#place(edges);
    this.#medians(context, { edges, y, tones: [colour("--fv-background"), colour("--fv-ink")] });
    const at = Math.min(Number(this.range.value), this.entries.length - 1);
    context.strokeStyle = colour("--fv-ink");
    context.lineWidth = 1.5;
    context.strokeRect(edges[at] + 0.75, PAD.top, Math.max(2, edges[at + 1] - edges[at] - 1.5), bottom - PAD.top);
  }

  /** The thumb of the slider stands below the column that it chooses. @param {number[]} edges */
  #place(edges) {
    const centre = (/** @type {number} */ i) => (edges[i] + edges[i + 1]) / 2;
    const [from, to] = [centre(0), centre(this.entries.length - 1)];
    this.range.style.marginLeft = `${from - THUMB / 2}px`;
    this.range.style.width = `${Math.max(4 * THUMB, to - from + THUMB)}px`;
  }

  /** Where the columns begin, and where the last one ends, steps: half-way between moments. */
  #edges() {
    const steps = this.entries.map((entry) => entry.step);
    const inner = steps.slice(1).map((step, i) => (step + steps[i]) / 2);
    const [before, newest] = steps.slice(-2);
    const end = steps.length > 1 ? newest + (newest - before) / 2 : this.last;
    return [0, ...inner, Math.min(end, this.last)];
  }

  /** @param {CanvasRenderingContext2D} context @param {number[]} range @param {any} place */
  #ticks(context, [low, high], { x, y, right, ink, grid }) {
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = ink;
    context.strokeStyle = grid;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    const every = high - low > 120 ? 45 : high - low > 60 ? 30 : 10;
    for (let angle = Math.ceil(low / every) * every; angle <= high; angle += every) {
      context.beginPath();
      context.moveTo(PAD.left, y(angle));
      context.lineTo(right, y(angle));
      context.stroke();
      context.fillText(`${angle}°`, PAD.left - 6, y(angle));
    }
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.fillText("0", x(0), HEIGHT - 7);
    context.textAlign = "right";
    context.fillText(compact(this.last, this.lang), right, HEIGHT - 7);
  }

  /** Half of the pictures lie below these lines. @param {CanvasRenderingContext2D} context @param {{edges: number[], y: (angle: number) => number, tones: string[]}} place */
  #medians(context, { edges, y, tones }) {
    for (const [name, dash] of /** @type {[string, number[]][]} */ ([["nearest_other", [5, 4]], ["own", []]])) {
      for (const [tone, width] of /** @type {[string, number][]} */ ([[tones[0], 4], [tones[1], 1.5]])) {
        context.strokeStyle = tone;
        context.lineWidth = width;
        context.setLineDash(width > 2 ? [] : dash);
        context.globalAlpha = width > 2 ? 0.5 : 1;
        context.beginPath();
        this.entries.forEach((entry, i) => {
          const at = y(median(entry[name]));
          context.lineTo((edges[i] + edges[i + 1]) / 2, at);
        });
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }
}
