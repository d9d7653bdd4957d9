/**
 * Lesson 7: two prototypes on the circle, a point between them and ArcFace's margin. Training
 * pretends that the point is m2 farther from its prototype, so its border comes nearer.
 * Source: Deng et al., ArcFace, CVPR 2019.
 */
import { Diagram } from "./diagram.js";
import { h } from "../dom.js";
import { psiSpec } from "../charts.js";
import { decimal } from "../words.js";
import { LineChart } from "../linechart.js";
import { markerPath, Sketch } from "./sketch.js";
import { Handle } from "./handle.js";
import { trainingBoundary, twoClassProbability } from "./lossmath.js";
import { classColor } from "../palette.js";

/** @typedef {import("./sketch.js").Point} Point */
const RADIANS = Math.PI / 180;
const CLASSES = [0, 6];
/** Radius of the arc that shows θ. */
const INNER = 0.46;
/** The farthest that a point can be pretended to be: θ = 90° and m2 = 1. */
const LOWEST = Math.PI / 2 + 1;
/** Degrees that are nought but for rounding. */
const NEAR = 1e-9;
const NAMES = ["plain", "margin"];

export default class Arc extends Diagram {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {any} context */
  constructor(host, side, context) {
    super(context);
    const { words } = context;
    this.values = { theta: 24, m2: 0.5, s: 16, apart: 72 };
    this.sketch = new Sketch(host, words("lesson_arc_drawing"), { ratio: 0.74, room: () => (context.room?.(true) ?? Infinity) - this.legend.offsetHeight });
    this.handle = new Handle(this.sketch, {
      label: words("lesson_arc_handle"), range: [0, 90], step: 1,
      from: (x, y) => this.#thetaAt(x, y),
      moved: (value) => {
        this.set({ theta: value });
        context.change("theta", value);
      },
    });
    const key = (/** @type {string} */ look, /** @type {string} */ text) => h("span", { class: look, text });
    this.trained = [key("fv-key-training", words("lesson_arc_training")), key("fv-key-gap", words("lesson_arc_gap"))];
    this.legend = h("div", { class: "fv-sketch-key" }, key("fv-key-plain", words("lesson_arc_plain")), ...this.trained);
    host.append(this.legend);
    this.chart = new LineChart({ title: words("psi_title"), height: 140 });
    this.table = h("div", { class: "fv-wide" }, this.#table());
    this.said = h("p", { class: "fv-readout fv-verdict-line", "aria-live": "polite" });
    side.append(this.chart.el, this.table, this.said);
    this.fitted = [this.sketch, this.chart];
    this.parts = [this.sketch.el, this.legend, this.chart.el, this.table, this.said];
  }

  #table() {
    const { words } = this.context;
    /** @type {Record<string, HTMLElement>} */
    this.cells = {};
    const row = (/** @type {string} */ name) => h("tr", {}, h("th", { scope: "row", text: words(`lesson_arc_${name}`) }),
      ...NAMES.map((column) => (this.cells[name + column] = h("td", { class: column === "margin" ? "fv-answer-cell" : "" }))));
    const head = h("tr", {}, h("td"), ...NAMES.map((name) => h("th", { scope: "col", class: name === "margin" ? "fv-answer-cell" : "", text: words(`lesson_arc_column_${name}`) })));
    return h("table", { class: "fv-table fv-small-table fv-plain-table" }, h("thead", {}, head), h("tbody", {}, row("cosine"), row("probability")));
  }

  /** @param {Record<string, number|string>} values */
  set(values) {
    for (const name of /** @type {(keyof Arc["values"])[]} */ (Object.keys(this.values))) if (values[name] !== undefined) this.values[name] = Number(values[name]);
    this.draw();
  }

  /** Angles from prototype 1, clockwise; the middle of both prototypes is on top. @param {number} theta radians @param {number} [out] @returns {Point} */
  #at(theta, out = 1) {
    const turn = this.start - theta;
    return [this.centre[0] + out * this.radius * Math.cos(turn), this.centre[1] - out * this.radius * Math.sin(turn)];
  }

  /** @param {number} x @param {number} y */
  #thetaAt(x, y) {
    const turn = this.start - Math.atan2(this.centre[1] - y, x - this.centre[0]);
    const theta = Math.atan2(Math.sin(turn), Math.cos(turn)) / RADIANS;
    // Past the far side the end of the range is meant that is nearer.
    return theta < -135 ? 90 : theta;
  }

  /** @param {number} from @param {number} to @param {number} out */
  #arc(from, to, out) {
    return [...Array(49).keys()].map((i) => this.#at(from + ((to - from) * i) / 48, out));
  }

  draw() {
    const { isOpen } = this;
    for (const el of this.trained) el.style.visibility = isOpen ? "" : "hidden";
    this.table.dataset.open = String(isOpen);
    this.#drawSide();
    if (this.sketch.begin()) this.#drawSheet();
  }

  #drawSheet() {
    const { sketch, isOpen, context: { lang } } = this;
    const { width, height, em } = sketch;
    const [theta, apart] = [this.values.theta * RADIANS, this.values.apart * RADIANS];
    const m2 = isOpen ? this.values.m2 : 0;
    this.start = Math.PI / 2 + apart / 2;
    // Nothing ever stands at the bottom of the circle: it is left out.
    const below = Math.max(0.45, -Math.sin(this.start - LOWEST)) + 0.03;
    this.radius = Math.min((width - 6.4 * em) / 2, (height - 4.2 * em) / (1 + below));
    this.centre = [width / 2, (height - 4.2 * em - (1 + below) * this.radius) / 2 + 2.6 * em + this.radius];
    const border = trainingBoundary(apart, m2);
    const origin = /** @type {Point} */ (this.centre);
    if (m2 && border >= 0) sketch.path([origin, ...this.#arc(border, apart - border, 1)], "fv-gap", true);
    const dip = Math.asin(Math.min(1, below));
    sketch.path(this.#arc(this.start - Math.PI - dip, this.start + dip, 1), "fv-rim");
    sketch.line(origin, this.#at(apart / 2), "fv-stroke fv-ink-stroke fv-dash");
    if (m2 && border >= 0) for (const side of [border, apart - border]) sketch.line(origin, this.#at(side), "fv-stroke fv-accent-stroke fv-thick");
    CLASSES.forEach((label, i) => {
      const arrow = this.#at(apart * i, 0.97);
      sketch.arrow(origin, arrow, "fv-stroke fv-prototype");
      for (const node of [...sketch.back.children].slice(-2)) node.setAttribute("style", `--fv-class:${classColor(label)}`);
    });
    sketch.line(origin, this.#at(theta), "fv-stroke fv-ink-stroke");
    const inner = this.#arc(0, theta, INNER);
    sketch.path(inner, "fv-stroke fv-ink-stroke fv-thick");
    sketch.add("circle", { cx: origin[0], cy: origin[1], r: 3.5, class: "fv-pin" });
    if (m2) this.#drawPretence(theta, m2);
    this.handle.place(this.#at(theta), this.values.theta, `θ = ${decimal(this.values.theta, lang, 0)}°`, { shape: "circle", label: CLASSES[0] });
    this.#label(theta, apart, m2, inner);
  }

  /** Where training takes the point to be. @param {number} theta @param {number} m2 */
  #drawPretence(theta, m2) {
    const { sketch } = this;
    const ghost = this.#at(theta + m2);
    sketch.line(/** @type {Point} */ (this.centre), ghost, "fv-stroke fv-accent-stroke fv-dash");
    sketch.path(this.#arc(theta, theta + m2, INNER), "fv-stroke fv-accent-stroke fv-thick fv-dash");
    sketch.path(this.#arc(theta, theta + m2, 1), "fv-stroke fv-accent-stroke fv-thick fv-dash");
    sketch.add("path", { d: markerPath("circle", sketch.em * 0.55), transform: `translate(${ghost[0]} ${ghost[1]})`, class: "fv-ghost" });
    sketch.block(ghost, sketch.em * 0.7, 4);
  }

  /** @param {number} theta @param {number} apart @param {number} m2 @param {Point[]} inner */
  #label(theta, apart, m2, inner) {
    const { sketch, context: { lang } } = this;
    const { em } = sketch;
    const origin = /** @type {Point} */ (this.centre);
    const side = (/** @type {number} */ angle) => (this.start - angle) / RADIANS;
    sketch.block(this.#at(theta), em * 0.8, 4);
    for (const angle of [0, apart / 2, apart]) sketch.blockPath([origin, this.#at(angle)]);
    sketch.blockPath([origin, this.#at(theta)]);
    if (m2) sketch.blockPath([origin, this.#at(theta + m2)]);
    sketch.blockPath(inner.filter((_, i) => i % 8 === 0));
    ["Ŵ₁", "Ŵ₂"].forEach((name, i) => sketch.label(name, this.#at(apart * i), [side(apart * i), side(apart * i) + (i ? -45 : 45), side(apart * i) + (i ? 45 : -45)], { look: "fv-symbol", gap: 1 }));
    sketch.label("x̂", this.#at(theta), [side(theta), side(theta) - 40, side(theta) + 40, side(theta) - 75, side(theta) + 75], { look: "fv-symbol", gap: 1 });
    if (m2) this.#labelPretence(theta, apart, m2, side);
    // Left of all rays, and m₂ right of them: there nothing crosses the words.
    sketch.label(`θ = ${decimal(this.values.theta, lang, 0)}°`, this.#at(0, INNER), [side(0) + 90, side(0) + 70, side(0) + 110], { look: "fv-strong", gap: 0.4 });
  }

  /** @param {number} theta @param {number} apart @param {number} m2 @param {(angle: number) => number} side */
  #labelPretence(theta, apart, m2, side) {
    const { sketch, context: { lang } } = this;
    const end = this.#at(theta + m2);
    sketch.label("θ + m₂", end, [side(theta + m2), side(theta + m2) - 50, side(theta + m2) + 50, -60], { look: "fv-accent-text fv-symbol", gap: 0.9, optional: true });
    const last = Math.max(theta + m2, apart);
    sketch.label(`m₂ = ${decimal(m2 / RADIANS, lang, 1)}°`, this.#at(last, INNER), [-90, -60, -120].map((turn) => side(last) + turn), { look: "fv-accent-text fv-strong", gap: 0.5 });
  }

  #drawSide() {
    const { context: { words, lang }, isOpen, values } = this;
    const [theta, apart] = [values.theta * RADIANS, values.apart * RADIANS];
    const m2 = isOpen ? values.m2 : 0;
    this.chart.show(psiSpec({ m1: 1, m2, m3: 0 }, "monotone", theta, words), "", true);
    NAMES.forEach((name, i) => {
      const angle = theta + (i ? values.m2 : 0);
      const share = twoClassProbability(theta, apart, i ? values.m2 : 0, values.s);
      this.cells[`cosine${name}`].textContent = isOpen || !i ? decimal(Math.cos(angle), lang, 2) : "";
      this.cells[`probability${name}`].textContent = isOpen || !i ? `${decimal(100 * share, lang, 1)} %` : "";
    });
    this.said.textContent = isOpen ? this.#verdict() : words("lesson_arc_hint");
  }

  #verdict() {
    const { context: { words, lang }, values } = this;
    const border = trainingBoundary(values.apart * RADIANS, values.m2);
    if (!(border >= 0)) return words("lesson_arc_no_room");
    const degrees = border / RADIANS;
    const told = { border: decimal(degrees, lang, 1), plain: decimal(values.apart / 2, lang, 1) };
    if (values.theta < degrees - NEAR) return words("lesson_arc_inside", told);
    return words(values.theta < values.apart / 2 - NEAR ? "lesson_arc_in_gap" : "lesson_arc_outside", told);
  }
}
