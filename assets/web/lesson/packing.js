/** Lessons 10 and 11: prototypes without training, on the circle and on the sphere, and what fits between them. */
import { h } from "../dom.js";
import { decimal } from "../words.js";
import { lossSpec } from "../charts.js";
import { FormulaView } from "../formulaview.js";
import { Gauge } from "../gauge.js";
import { admissibleRadius, feasible, largestM3 } from "../formula.js";
import { Placed } from "./placed.js";
import { Recorded } from "./recorded.js";
import { crowd, push, seeded, smallestAngle } from "./repulsion.js";

/** @param {number} count */
const namesOf = (count) => [...Array(count).keys()].map((k) => String(k));
const DEGREE = 180 / Math.PI;
/** Where the tables of angles begin. */
const FEWEST = 2;

/** K prototypes evenly on a circle, caps of the margin, and a loss that cannot fall. */
export class OnCircle extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.gauge = new Gauge(this.words, context.lang);
    this.formula = new FormulaView("combined", true, this.words);
    this.bound = h("p", { class: "fv-readout fv-twice", "aria-live": "polite" });
    this.losses = this.chart("loss_title", { height: 200 });
    side.replaceChildren(this.formula.el, this.gauge.el, this.bound, this.losses.el);
  }

  /** @param {Record<string, any>} values */
  set(values) {
    const before = this.values;
    this.values = values;
    const circle = values.scene === "circle";
    if (!circle && this.picture.wish?.key !== "cosface") this.picture.show({ key: "cosface", open: this.picture.tape("cosface"), members: [0, 1], captions: true, caps: true });
    if (circle && (before.count !== values.count || before.scene !== values.scene)) this.#place(Number(values.count));
    if (circle) this.picture.setMargin([Number(values.m1), Number(values.m2), Number(values.m3)]);
    if (!circle && this.isOpen && before.scene === "circle") this.picture.play();
    this.#tell();
  }

  /** The angle between so many neighbours, radians. @param {number} count */
  #packing(count) {
    return this.context.facts.angles[count - FEWEST] / DEGREE;
  }

  /** @param {number} count */
  #place(count) {
    const packing = this.#packing(count);
    const prototypes = namesOf(count).flatMap((_, k) => [Math.cos(packing * k), Math.sin(packing * k)]);
    /** @param {any} handlers */
    const open = (handlers) => {
      const placed = new Placed({ dim: 2, names: namesOf(count), packing, exact: true }, handlers);
      placed.put(prototypes);
      return placed;
    };
    this.picture.show({ key: `circle-${count}`, open, members: [0], caps: this.isOpen, still: true });
  }

  /** @param {boolean} before */
  open(before) {
    this.isOpen = true;
    if (this.values.scene === "circle") this.#place(Number(this.values.count));
    else if (!before) this.picture.play();
    this.set(this.values);
  }

  #tell() {
    const { values, words, context: { lang } } = this;
    const circle = values.scene === "circle";
    this.side.hidden = !this.isOpen;
    for (const el of [this.formula.el, this.gauge.el, this.bound]) el.hidden = !circle;
    this.losses.el.hidden = circle;
    if (!circle) {
      this.bound.hidden = false;
      this.bound.textContent = words("lesson_two_losses");
      return;
    }
    const count = Number(values.count);
    const packing = this.#packing(count);
    const margin = { m1: Number(values.m1), m2: Number(values.m2), m3: Number(values.m3) };
    this.formula.show({ ...margin, s: this.context.facts.scale });
    this.gauge.show(margin, { packing_angle: packing, packing_exact: true, class_names: namesOf(count), dim: 2 });
    const number = (/** @type {number} */ value) => decimal(value, lang, 3);
    const fits = feasible(margin, packing);
    this.bound.textContent = words("lesson_circle_said", {
      n: count, angle: decimal(packing * DEGREE, lang, 1), m2: number(packing), m3: number(Math.max(0, largestM3(0, packing))),
      rho: fits ? decimal(admissibleRadius(margin, packing) * DEGREE, lang, 1) : "0",
    });
  }

  /** @param {import("../store.js").FrameStore} store @param {import("../protocol.js").Frame|null} frame */
  followed(store, frame) {
    if (this.values.scene === "circle" || !frame || store.kept.length < 2 || frame.losses.length < 2) return;
    const last = store.kept[store.kept.length - 1].step;
    const [fits, not] = [0, 1].map((member) => lossSpec(store.kept, member, last));
    fits.series[0].label = this.words("lesson_fits");
    not.series[0] = { ...not.series[0], tone: "fv-tone-warn", dashed: true, label: this.words("lesson_fits_not") };
    const spec = not.y[1] > fits.y[1] ? not : fits;
    this.losses.show({ ...spec, series: [fits.series[0], not.series[0]], mark: frame.step }, "", true);
  }
}

const ROUNDS = 420;
const PER_FRAME = 4;

/** K points push each other over circle or sphere, live; and the best angle against K and D. */
export class OneMoreDimension extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.curve = this.chart("lesson_angle_title", { height: 190 });
    this.said = h("p", { class: "fv-readout", "aria-live": "off" });
    this.best = h("p", { class: "fv-readout", "aria-live": "polite" });
    this.again = h("button", { type: "button", class: "fv-button", onclick: () => this.#scatter(), text: this.words("lesson_again") });
    side.replaceChildren(this.said, this.best, this.again, this.curve.el);
    this.seed = 1;
  }

  /** @param {Record<string, any>} values */
  set(values) {
    const before = this.values;
    this.values = values;
    if (before.count !== values.count || before.dim !== values.dim) this.#scatter(this.isOpen);
    this.#tell();
  }

  /** @param {boolean} [go] */
  #scatter(go = true) {
    cancelAnimationFrame(this.handle ?? 0);
    const [count, dim] = [Number(this.values.count), Number(this.values.dim)];
    const best = this.context.facts.angles[String(dim)][count - FEWEST];
    this.points = crowd(count, dim, seeded(this.seed++));
    this.round = 0;
    /** @param {any} handlers */
    const open = (handlers) => {
      this.placed = new Placed({ dim, names: namesOf(count), packing: best / DEGREE, exact: true }, handlers);
      this.placed.put(this.points);
      return this.placed;
    };
    this.picture.show({ key: `${dim}-${count}-${this.seed}`, open, members: [0], caps: false, still: true });
    if (go) this.#run();
    this.#tell();
  }

  #run() {
    const dim = Number(this.values.dim);
    const turns = this.context.still ? ROUNDS : PER_FRAME;
    for (let i = 0; i < turns && this.round < ROUNDS; i += 1) {
      this.round += 1;
      const share = this.round / ROUNDS;
      push(this.points, dim, 4 * 400 ** share, 0.12 * (1 - share) ** 2 + 2e-4);
    }
    this.placed?.put(this.points);
    this.#tell();
    if (this.round < ROUNDS && !this.disposed) this.handle = requestAnimationFrame(() => this.#run());
  }

  /** @param {boolean} before */
  open(before) {
    this.isOpen = true;
    if (!before || this.round === 0) this.#run();
    this.#tell();
  }

  toggle() {
    if (this.isOpen) this.#scatter();
  }

  rewind() {
    if (this.isOpen) this.#scatter(false);
  }

  #tell() {
    const { words, context: { lang, facts } } = this;
    this.side.hidden = !this.isOpen;
    if (!this.isOpen || !this.points) return;
    const [count, dim] = [Number(this.values.count), Number(this.values.dim)];
    const degrees = (/** @type {number} */ value) => words("degrees", { value: decimal(value, lang, 1) });
    this.said.textContent = words("lesson_now_apart", { angle: degrees(smallestAngle(this.points, dim) * DEGREE) });
    this.best.textContent = words("lesson_best_apart", { n: count, best: degrees(facts.angles[String(dim)][count - FEWEST]), circle: degrees(facts.angles["2"][count - FEWEST]), free: degrees(facts.angles.free[count - FEWEST]) });
    if (this.curved === `${count}|${dim}`) return;
    this.curved = `${count}|${dim}`;
    const tones = ["fv-tone-ink", "fv-tone-accent", "fv-tone-mute", "fv-tone-mute", "fv-tone-unseen"];
    const series = Object.entries(facts.angles).map(([name, angles], i) => ({
      points: /** @type {number[]} */ (angles).map((angle, k) => [k + FEWEST, angle]),
      tone: tones[i], dashed: i > 1,
      label: name === "free" ? words("lesson_free") : `D = ${name}`,
    }));
    this.curve.show({
      series, x: [2, 24], y: [0, 185], xTicks: [[2, "K = 2"], [10, "10"], [24, "24"]], yTicks: [[0, "0°"], [90, "90°"], [180, "180°"]],
      mark: count, dot: [count, facts.angles[String(dim)][count - FEWEST]],
    });
  }

  state() {
    return this.picture.state().cam ? { cam: this.picture.state().cam } : {};
  }

  dispose() {
    this.disposed = true;
    cancelAnimationFrame(this.handle ?? 0);
    super.dispose();
  }
}
