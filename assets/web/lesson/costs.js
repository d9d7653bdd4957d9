/**
 * Lesson 5: what the two approaches cost against the number of identities, on logarithmic axes.
 * Classification: the final layer's parameters and a batch's logits; comparison: pairs and triplets.
 */
import { Diagram } from "./diagram.js";
import { h, svg } from "../dom.js";
import { compact, decimal } from "../words.js";
import { LineChart } from "../linechart.js";
import { costs, nudgeApart } from "./lossmath.js";

const BATCH = 512;
/** Powers of ten: where the lines run, and what the axes show. */
const FIRST = 1;
const LAST = 7;
const LEAST = 2;
const MOST = 20;
const STEP = 3;
const FLOAT = 4;
/** The approach by its tone, which of its two by the dashes. @type {{name: keyof import("./lossmath.js").Costs, tone: string, dashed: boolean, formula: string, stored: boolean}[]} */
const LINES = [
  { name: "parameters", tone: "fv-tone-accent", dashed: false, formula: "C·D", stored: true },
  { name: "logits", tone: "fv-tone-ink", dashed: true, formula: "B·C", stored: true },
  { name: "pairs", tone: "fv-tone-warn", dashed: true, formula: "N(N − 1)/2", stored: false },
  { name: "triplets", tone: "fv-tone-warn", dashed: false, formula: "C·n(n − 1)(N − n)", stored: false },
];
const BYTES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

export default class CostsDiagram extends Diagram {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {any} context */
  constructor(host, side, context) {
    super(context);
    const { words } = context;
    this.values = { identities: 6, images: 20, dim: 512 };
    this.chart = new LineChart({ title: words("lesson_costs_title"), height: 340 });
    this.labels = svg("g", { class: "fv-line-names" });
    this.axis = h("p", { class: "fv-axis-name", text: words("lesson_costs_axis") });
    this.el = h("div", { class: "fv-costs" }, this.chart.el, this.axis);
    this.chart.svg.append(this.labels);
    host.append(this.el);
    this.table = h("div", { class: "fv-wide" }, this.#table());
    this.note = h("p", { class: "fv-quiet-note" });
    side.append(this.table, this.note);
    this.fitted = [this.chart];
    this.parts = [this.el, this.table, this.note];
  }

  #table() {
    const { words } = this.context;
    this.head = h("th", { scope: "col" });
    /** @type {Record<string, {row: HTMLElement, count: HTMLElement, bytes: HTMLElement}>} */
    this.rows = {};
    const rows = LINES.map(({ name, tone, dashed, formula }) => {
      const count = h("td");
      const bytes = h("td");
      const title = h("th", { scope: "row" }, h("span", { class: "fv-together" }, h("i", { class: `fv-line-key ${tone}${dashed ? " fv-dashed" : ""}` }), words(`lesson_costs_${name}`)), " ", h("small", { text: formula }));
      const row = h("tr", {}, title, count, bytes);
      this.rows[name] = { row, count, bytes };
      return row;
    });
    const head = h("tr", {}, h("td"), this.head, h("th", { scope: "col", text: words("lesson_costs_bytes") }));
    return h("table", { class: "fv-table fv-small-table fv-plain-table" }, h("thead", {}, head), h("tbody", {}, ...rows));
  }

  /** @param {Record<string, number|string>} values */
  set(values) {
    for (const name of /** @type {("identities"|"images"|"dim")[]} */ (Object.keys(this.values))) if (values[name] !== undefined) this.values[name] = Number(values[name]);
    this.draw();
  }

  get #shown() {
    return this.isOpen ? LINES : LINES.slice(0, 1);
  }

  /** @param {number} power */
  #costs(power) {
    return costs(Math.round(10 ** power), this.values.images, this.values.dim, BATCH);
  }

  draw() {
    this.#drawTable();
    if (!this.chart.width) this.chart.fit();
    if (!this.chart.width) return;
    const names = this.#names();
    const { pad, width } = this.chart;
    const plot = width - pad.left - pad.right;
    // The lines stop where their names begin.
    const room = Math.max(...names.map(({ size }) => size)) + 8;
    const right = FIRST + ((LAST - FIRST) * plot) / Math.max(plot - room, plot / 3);
    const powers = [...Array(61).keys()].map((i) => FIRST + ((LAST - FIRST) * i) / 60);
    const tick = (/** @type {number} */ power) => /** @type {[number, string]} */ ([power, ten(power)]);
    this.chart.show({
      series: this.#shown.map(({ name, tone, dashed }) => ({ points: powers.map((power) => [power, Math.log10(this.#costs(power)[name])]), tone, dashed })),
      x: [FIRST, right], y: [LEAST, MOST],
      xTicks: [1, 3, 5, 7].map(tick),
      yTicks: [...Array(Math.floor((MOST - LEAST) / STEP) + 1).keys()].map((i) => tick(3 + i * STEP)).filter(([power]) => power <= MOST),
      mark: this.values.identities,
      dot: [this.values.identities, Math.log10(this.#costs(this.values.identities).parameters)],
    }, this.context.words("lesson_costs_here", { count: compact(Math.round(10 ** this.values.identities), this.context.lang) }), true);
    this.#place(names, (LAST - FIRST) / (right - FIRST));
  }

  #names() {
    const { words } = this.context;
    const names = this.#shown.map(({ name, tone }) => {
      const node = svg("text", { class: `fv-line-name ${tone}`, text: words(`lesson_costs_${name}`) });
      this.labels.append(node);
      return { name, node, size: 0 };
    });
    this.labels.replaceChildren(...names.map(({ node }) => node));
    for (const one of names) one.size = one.node.getComputedTextLength();
    return names;
  }

  /** Names at the ends of their lines, moved apart. @param {{name: keyof import("./lossmath.js").Costs, node: SVGTextElement}[]} names @param {number} share of the plot that the lines fill */
  #place(names, share) {
    const { pad, width, height } = this.chart;
    const bottom = height - pad.bottom;
    const em = parseFloat(getComputedStyle(this.labels).fontSize);
    const last = this.#costs(LAST);
    const wanted = names.map(({ name }) => pad.top + (1 - (Math.log10(last[name]) - LEAST) / (MOST - LEAST)) * (bottom - pad.top));
    const places = nudgeApart(wanted, names.map(() => em * 1.15), 0, 0, bottom);
    names.forEach(({ node }, i) => {
      node.setAttribute("x", String(pad.left + share * (width - pad.left - pad.right) + 6));
      node.setAttribute("y", (places[i] + em * 0.35).toFixed(1));
    });
  }

  #drawTable() {
    const { words, lang } = this.context;
    const count = 10 ** this.values.identities;
    const here = this.#costs(this.values.identities);
    this.head.textContent = words("lesson_costs_count");
    for (const { name, stored } of LINES) {
      const { row, count: cell, bytes } = this.rows[name];
      row.style.visibility = this.isOpen || name === "parameters" ? "" : "hidden";
      cell.textContent = large(here[name], lang);
      bytes.textContent = stored ? inBytes(here[name] * FLOAT, lang) : "—";
    }
    const pictures = Math.round(count) * this.values.images;
    this.note.textContent = words("lesson_costs_note", { people: compact(Math.round(count), lang), images: this.values.images, pictures: compact(pictures, lang), batch: BATCH, dim: this.values.dim });
  }
}

/** 10ⁿ. @param {number} power */
function ten(power) {
  return `10${[...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}`;
}

/** In words as far as there are words that everybody knows. @param {number} value @param {string} lang */
function large(value, lang) {
  if (value < 1e15) return compact(value, lang);
  const [head, power] = value.toExponential(1).split("e");
  return `${decimal(Number(head), lang, 1)} · ${ten(Number(power))}`;
}

/** @param {number} bytes @param {string} lang */
function inBytes(bytes, lang) {
  const step = Math.min(BYTES.length - 1, Math.floor(Math.log10(bytes) / 3));
  const format = { style: /** @type {const} */ ("unit"), unit: BYTES[step], unitDisplay: /** @type {const} */ ("short"), maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(lang, format).format(bytes / 1000 ** step);
}
