/**
 * Lesson 4: anchor, positive and negative, and the zones that the two distances make. The loss is
 * a length on the picture: how far the negative still is from the easy zone.
 * Source: Schroff et al., FaceNet, CVPR 2015; distances unsquared, as the lecture writes them.
 */
import { Diagram } from "./diagram.js";
import { h } from "../dom.js";
import { decimal } from "../words.js";
import { markerPath, markerStyle, Sketch } from "./sketch.js";
import { Handle } from "./handle.js";
import { triplet } from "./lossmath.js";
import { ZoneStrip } from "./zonestrip.js";

/** @typedef {import("./sketch.js").Point} Point */
/** The ray of the positive, upwards; the negative has the horizontal one. */
const RAY = (48 * Math.PI) / 180;
/** What the sheet holds of distance. */
const FARTHEST = 2.4;
/** Room above the anchor for the positive, and in all: rings may end at the sheet. */
const ABOVE = 0.9;
const HIGH = 1.5;
/** All gradients of the unsquared loss have length 1: one length for both arrows. */
const FORCE = 0.24;

/** How far up and down the fan opens, radians. */
const STEEP = 1.25;

export default class Triplet extends Diagram {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {any} context */
  constructor(host, side, context) {
    super(context);
    const { words } = context;
    this.values = { margin: 0.2, positive: 0.5, negative: 0.6 };
    this.sketch = new Sketch(host, words("lesson_triplet_drawing"), { ratio: 0.72, room: () => context.room?.(true) ?? Infinity });
    this.positive = this.#handle("positive", [0.1, 1.2], (x, y) => (x - this.origin[0]) * Math.cos(RAY) + (this.origin[1] - y) * Math.sin(RAY));
    this.negative = this.#handle("negative", [0, FARTHEST], (x) => x - this.origin[0]);
    this.strip = new ZoneStrip(this.sketch, words);
    this.said = h("p", { class: "fv-readout fv-verdict-line", "aria-live": "polite" });
    side.append(this.said);
    this.fitted = [this.sketch];
    this.parts = [this.sketch.el, this.said];
  }

  /** @param {"positive"|"negative"} name @param {[number, number]} range @param {(x: number, y: number) => number} along pixels */
  #handle(name, range, along) {
    return new Handle(this.sketch, {
      label: this.context.words(`lesson_triplet_${name}`), range, step: 0.01,
      from: (x, y) => along(x, y) / this.unit,
      moved: (value) => {
        this.set({ [name]: value });
        this.context.change(name, value);
      },
    });
  }

  /** @param {Record<string, number|string>} values */
  set(values) {
    for (const name of /** @type {("margin"|"positive"|"negative")[]} */ (["margin", "positive", "negative"])) {
      if (values[name] !== undefined) this.values[name] = Number(values[name]);
    }
    this.draw();
  }

  /** @param {number} distance @param {number} [angle] @returns {Point} */
  #at(distance, angle = 0) {
    return [this.origin[0] + distance * this.unit * Math.cos(angle), this.origin[1] - distance * this.unit * Math.sin(angle)];
  }

  draw() {
    const { sketch, values: { margin, positive, negative }, isOpen, context: { lang } } = this;
    this.said.textContent = this.#verdict();
    if (!sketch.begin()) return;
    const { width, height, em } = sketch;
    const under = this.strip.height(em);
    this.unit = Math.min((width - 3.4 * em) / FARTHEST, (height - under - 2.6 * em) / HIGH);
    this.origin = /** @type {Point} */ ([(width - 3.4 * em - FARTHEST * this.unit) / 2 + 2 * em, 2 * em + ABOVE * this.unit + Math.max(0, height - under - 2.6 * em - HIGH * this.unit) / 2]);
    const anchor = this.#at(0);
    const p = this.#at(positive, RAY);
    const n = this.#at(negative);
    const floor = height - under;
    if (isOpen) this.#drawZones(floor);
    sketch.line(anchor, p, "fv-stroke fv-ink-stroke");
    sketch.line(anchor, n, "fv-stroke fv-ink-stroke");
    if (isOpen) this.#drawLoss(n);
    sketch.add("path", { d: markerPath("circle", em * 0.55), transform: `translate(${anchor[0]} ${anchor[1]})`, class: "fv-marker", style: markerStyle(0) });
    sketch.add("circle", { cx: anchor[0], cy: anchor[1], r: em * 0.85, class: "fv-stroke fv-ink-stroke" });
    const say = (/** @type {string} */ name, /** @type {number} */ value) => `d(a, ${name}) = ${decimal(value, lang, 2)}`;
    this.positive.place(p, positive, say("p", positive), { shape: "circle", label: 0 });
    this.negative.place(n, negative, say("n", negative), { shape: "diamond", label: 6 });
    for (const [at, reach] of /** @type {[Point, number][]} */ ([[anchor, 0.9], [p, 0.7], [n, 0.8]])) sketch.block(at, reach * em, 4);
    sketch.blockPath([anchor, p]);
    sketch.blockPath([anchor, [Math.max(n[0], anchor[0] + em), n[1]]]);
    sketch.label("a", anchor, [180, 200, 225], { look: "fv-symbol", gap: 1.1 });
    sketch.label("p", p, [100, 150, 70], { look: "fv-symbol", gap: 0.75 });
    sketch.label("n", n, [-75, -30, -110, 0, 60], { look: "fv-symbol", gap: 0.85 });
    if (isOpen) this.#labelLoss(n);
    sketch.label(say("p", positive), p, [0, 20, 40, -15, -30, 60, 90], { gap: 1 });
    const middle = /** @type {Point} */ ([(anchor[0] + n[0]) / 2, n[1]]);
    sketch.label(say("n", negative), middle, [-90], { gap: 1, more: [[n, -45], [[n[0], n[1] + em], -80], [[n[0], n[1] + em * 1.2], -90], [[n[0], n[1] + em * 1.2], -100]] });
    if (isOpen) this.strip.draw(floor, this.origin[0], width, [positive, positive + margin].map((d) => d * this.unit), triplet(positive, negative, margin).zone);
  }

  /** @param {number} floor where the picture ends and the strip of names begins */
  #drawZones(floor) {
    const { sketch, values: { margin, positive } } = this;
    const radii = [positive, positive + margin].map((d) => d * this.unit);
    const [x, y] = this.origin;
    const ceiling = sketch.em * 0.4;
    // A fan of each ring is enough: what it says, it says along the rays.
    const ring = (/** @type {number} */ r) => `M${x} ${y - r}A${r} ${r} 0 0 1 ${x} ${y + r}A${r} ${r} 0 0 1 ${x} ${y - r}Z`;
    const clip = `fv-clip-${(Triplet.count = (Triplet.count ?? 0) + 1)}`;
    const frame = sketch.add("clipPath", { id: clip });
    const up = x + (y - ceiling) / Math.tan(STEEP);
    const down = x + (floor - y) / Math.tan(STEEP);
    const corners = [[x, y], [up, ceiling], [sketch.width, ceiling], [sketch.width, floor], [down, floor]];
    frame.append(sketch.add("polygon", { points: corners.map((corner) => corner.join()).join(" ") }));
    const inside = { "clip-path": `url(#${clip})` };
    sketch.add("path", { d: ring(radii[1]) + ring(radii[0]), class: "fv-zone-semi", "fill-rule": "evenodd", ...inside });
    sketch.add("path", { d: ring(radii[0]), class: "fv-zone-hard", ...inside });
    sketch.add("circle", { cx: x, cy: y, r: radii[0], class: "fv-stroke fv-mute-stroke", ...inside });
    sketch.add("circle", { cx: x, cy: y, r: radii[1], class: "fv-stroke fv-mute-stroke fv-dash", ...inside });
  }

  /** The loss is what n lacks to the easy zone; the arrows are minus the gradients. @param {Point} n */
  #drawLoss(n) {
    const { sketch, values: { margin, positive, negative } } = this;
    const { loss } = triplet(positive, negative, margin);
    if (!loss) return;
    const border = this.#at(positive + margin);
    sketch.line(n, border, "fv-stroke fv-warn-stroke fv-lacks");
    const reach = Math.min(FORCE, positive * 0.85);
    sketch.arrow(this.#at(positive, RAY), this.#at(positive - reach, RAY), "fv-stroke fv-accent-stroke fv-force");
    // Beside the ray, or it would hide what is lacking.
    const up = sketch.em * 0.9;
    sketch.arrow([n[0], n[1] - up], [n[0] + FORCE * this.unit, n[1] - up], "fv-stroke fv-accent-stroke fv-force");
  }

  /** @param {Point} n */
  #labelLoss(n) {
    const { sketch, values: { margin, positive, negative }, context: { lang, words } } = this;
    const { loss } = triplet(positive, negative, margin);
    if (!loss) return;
    const border = this.#at(positive + margin);
    sketch.blockPath([n, border]);
    const middle = /** @type {Point} */ ([(n[0] + border[0]) / 2, n[1]]);
    sketch.label(words("lesson_triplet_loss", { loss: decimal(loss, lang, 2) }), middle, [90], { look: "fv-warn-text fv-strong", gap: 1.4, more: [[border, 30], [border, 0], [[n[0], n[1] - sketch.em * 2.2], 90]] });
  }

  /** What a screen reader hears and the hall reads. */
  #verdict() {
    const { values: { margin, positive, negative }, isOpen, context: { lang, words } } = this;
    if (!isOpen) return words("lesson_triplet_hint");
    const { loss, zone } = triplet(positive, negative, margin);
    return words(loss ? "lesson_triplet_teaches" : "lesson_triplet_silent", { zone: words(`lesson_triplet_zone_${zone}`), loss: decimal(loss, lang, 2) });
  }
}

/** Clip paths need names of their own on a page. @type {number} */
Triplet.count = 0;
