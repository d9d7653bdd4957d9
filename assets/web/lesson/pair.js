/**
 * Lesson 3: two embeddings on the circle and the contrastive loss of their chord d. Before the
 * answer only the points and d; then the forces, the reach of the push and the loss.
 * Source: Hadsell et al., CVPR 2006.
 */
import { Diagram } from "./diagram.js";
import { h } from "../dom.js";
import { decimal } from "../words.js";
import { LineChart } from "../linechart.js";
import { markerPath, markerStyle, Sketch } from "./sketch.js";
import { Handle } from "./handle.js";
import { alongCircle, angleChord, chordAngle, contrastive } from "./lossmath.js";

/** @typedef {import("./sketch.js").Point} Point */
/** Length of an arrow for a gradient of 1, in radii: the strongest, 4, still fits the sheet. */
const FORCE = 0.25;
const WEAKEST = 0.005;
const COUNT = 100;
/** Class and shape of the second point. @type {Record<string, {shape: "circle"|"diamond", label: number}>} */
const LOOKS = { same: { shape: "circle", label: 0 }, different: { shape: "diamond", label: 6 } };

export default class Pair extends Diagram {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {any} context */
  constructor(host, side, context) {
    super(context);
    const { words } = context;
    this.values = { pair: "different", distance: 0.6, margin: 1 };
    this.sketch = new Sketch(host, words("lesson_pair_drawing"), { ratio: 0.94, room: () => context.room?.(true) ?? Infinity });
    this.handle = new Handle(this.sketch, {
      label: words("lesson_pair_handle"), range: [0, 2], step: 0.01,
      from: (x, y) => this.#chordAt(x, y),
      moved: (value) => {
        this.set({ distance: value });
        context.change("distance", value);
      },
    });
    this.chart = new LineChart({ title: words("lesson_pair_loss"), height: 150 });
    this.said = h("p", { class: "fv-readout fv-verdict-line", "aria-live": "polite" });
    side.append(this.chart.el, this.said);
    this.fitted = [this.sketch, this.chart];
    this.parts = [this.sketch.el, this.chart.el, this.said];
  }

  /** @param {Record<string, number|string>} values */
  set(values) {
    this.values = { ...this.values, ...values };
    const { pair, distance, margin } = this.values;
    this.pair = /** @type {import("./lossmath.js").Pair} */ (pair);
    this.distance = Number(distance);
    this.margin = Number(margin);
    this.draw();
  }

  /** A place on the circle; the first point stands at the left, angles run clockwise over the top. @param {number} angle @param {number} [out] */
  #at(angle, out = 1) {
    const [cx, cy] = this.centre;
    return /** @type {Point} */ ([cx - out * this.radius * Math.cos(angle), cy - out * this.radius * Math.sin(angle)]);
  }

  /** @param {number} x @param {number} y */
  #chordAt(x, y) {
    const angle = Math.atan2(this.centre[1] - y, this.centre[0] - x);
    // Below the line the nearer end is meant.
    if (angle < 0) return angle < -Math.PI / 2 ? 2 : 0;
    return angleChord(angle);
  }

  draw() {
    if (this.distance === undefined) return;
    this.#drawSheet();
    this.#drawSide();
  }

  #drawSheet() {
    const { sketch, distance, margin, isOpen, context: { lang } } = this;
    if (!sketch.begin()) return;
    const { width, height, em } = sketch;
    this.radius = Math.min((width - 5.2 * em) / 2, (height - 4.6 * em) / 2);
    this.centre = [width / 2, height / 2];
    const angle = chordAngle(distance);
    const [first, second] = [this.#at(0), this.#at(angle)];
    const pushes = isOpen && this.pair === "different";
    sketch.add("circle", { cx: this.centre[0], cy: this.centre[1], r: this.radius, class: "fv-rim" });
    if (pushes) this.#drawReach(margin);
    sketch.line(first, second, "fv-stroke fv-ink-stroke fv-thick");
    if (isOpen) this.#drawForces(angle, first, second);
    sketch.add("path", { d: markerPath("circle", em * 0.55), transform: `translate(${first[0]} ${first[1]})`, class: "fv-marker", style: markerStyle(0) });
    this.handle.place(second, distance, `d = ${decimal(distance, lang, 2)}`, LOOKS[this.pair]);
    const degrees = (angle * 180) / Math.PI;
    sketch.block(first, em * 0.6, 4);
    sketch.block(second, em * 0.75, 4);
    sketch.blockPath([first, second]);
    sketch.label("x̂₁", first, [195, 180, 210, 160], { look: "fv-symbol", gap: 0.9 });
    sketch.label("x̂₂", second, [180 - degrees - 8, 180 - degrees + 12, 180 - degrees - 30, 180 - degrees + 30, 60], { look: "fv-symbol", gap: 0.95 });
    const middle = /** @type {Point} */ ([0, 1].map((d) => (first[d] + second[d]) / 2));
    // Across the chord: outside first, there the radius of the reach is not.
    const across = 180 - degrees / 2;
    sketch.label(`d = ${decimal(distance, lang, 2)}`, middle, [across, across + 180, across - 35, 0, -20, 40], { look: "fv-strong", gap: 0.5, more: [[second, 0], [second, -30], [first, -60]] });
    if (pushes) this.#labelReach(margin);
  }

  /** How far the push reaches: all that is nearer to the first point than m. @param {number} margin */
  #drawReach(margin) {
    const { sketch } = this;
    const [x, y] = this.#at(0);
    const end = chordAngle(margin);
    const along = [...Array(61).keys()].map((i) => this.#at(end * (i / 30 - 1)));
    // Only the part of the circle of radius m that lies inside the unit circle.
    const half = Math.PI / 2 - end / 2;
    const inner = [...Array(61).keys()].map((i) => {
      const turn = half * (1 - i / 30);
      return /** @type {Point} */ ([x + margin * this.radius * Math.cos(turn), y - margin * this.radius * Math.sin(turn)]);
    });
    sketch.path([...along, ...inner], "fv-reach", true);
    sketch.path(along, "fv-stroke fv-warn-stroke fv-thick");
    sketch.path(inner, "fv-stroke fv-warn-stroke fv-dash");
    sketch.blockPath(inner.filter((_, i) => i % 4 === 0));
    const down = (this.down = Math.min(0.5, 0.7 * Math.acos(Math.min(1, margin / 2))));
    this.spoke = /** @type {Point} */ ([x + margin * this.radius * Math.cos(down), y + margin * this.radius * Math.sin(down)]);
    sketch.line([x, y], this.spoke, "fv-stroke fv-warn-stroke fv-dash");
    sketch.blockPath([[x, y], this.spoke]);
  }

  /** @param {number} margin */
  #labelReach(margin) {
    const { sketch, context: { lang } } = this;
    const first = this.#at(0);
    const turn = (-this.down * 180) / Math.PI;
    const middle = /** @type {Point} */ ([0, 1].map((d) => (first[d] + this.spoke[d]) / 2));
    sketch.label(`m = ${decimal(margin, lang, 2)}`, middle, [turn - 90, turn - 110, turn - 60, 0], { look: "fv-warn-text fv-strong", gap: 0.5, more: [[this.spoke, -20], [this.spoke, -60], [this.spoke, -90], [this.#at(-chordAngle(margin)), -90]] });
  }

  /** Minus gradients, along the circle: points of unit length cannot leave it. @param {number} angle @param {Point} first @param {Point} second */
  #drawForces(angle, first, second) {
    const force = this.#force();
    if (Math.abs(force) < WEAKEST) return;
    const length = FORCE * this.radius * force;
    const look = force > 0 ? "fv-stroke fv-accent-stroke fv-force" : "fv-stroke fv-warn-stroke fv-force";
    // Growing angle is upwards at the first point; a positive slope pulls both together.
    this.sketch.arrow(first, [first[0], first[1] - length], look);
    this.sketch.arrow(second, [second[0] - Math.sin(angle) * length, second[1] + Math.cos(angle) * length], look);
  }

  #force() {
    return alongCircle(contrastive(this.pair, this.distance, this.margin).slope, this.distance);
  }

  #drawSide() {
    const { context: { words, lang }, pair, distance, margin, isOpen } = this;
    const { loss } = contrastive(pair, distance, margin);
    const top = pair === "same" || margin > 1 ? 4 : 1;
    const curve = (/** @type {import("./lossmath.js").Pair} */ which) => {
      const distances = [...Array(COUNT + 1).keys()].map((i) => (2 * i) / COUNT);
      return distances.map((d) => [d, contrastive(which, d, margin).loss]).map(([d, y]) => [d, y > top + 1e-9 ? NaN : y]);
    };
    const line = (/** @type {import("./lossmath.js").Pair} */ which) => ({ points: curve(which), tone: which === pair ? "fv-tone-accent" : "fv-tone-mute", dashed: which !== pair, label: words(`lesson_pair_${which}`) });
    const other = pair === "same" ? "different" : "same";
    this.chart.show({
      series: isOpen ? [line(other), line(pair)] : [],
      x: [0, 2], y: [0, top],
      xTicks: [[0, "d = 0"], [1, "1"], [2, "2"]],
      yTicks: [[0, "0"], [top, String(top)]],
      mark: isOpen && pair === "different" ? margin : undefined,
      dot: isOpen ? [distance, loss] : undefined,
    }, isOpen ? `L = ${decimal(loss, lang, 2)}` : "", true);
    this.said.textContent = isOpen ? this.#verdict(loss) : words("lesson_pair_hint");
  }

  /** @param {number} loss */
  #verdict(loss) {
    const { context: { words, lang }, pair, distance } = this;
    const force = Math.abs(this.#force());
    const values = { loss: decimal(loss, lang, 2), force: decimal(force, lang, 2) };
    if (pair === "different") return words(loss > 0 ? "lesson_pair_pushes" : "lesson_pair_silent", values);
    if (force >= WEAKEST) return words("lesson_pair_pulls", values);
    return words(distance > 1 ? "lesson_pair_opposite" : "lesson_pair_together", values);
  }
}
