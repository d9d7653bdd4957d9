/** Lesson 6: lengths are thrown away, and what the scale s must then make up for. */
import { h } from "../dom.js";
import { decimal } from "../words.js";
import { Recorded } from "./recorded.js";
import { bestProbability, circleProbability, scaleFor } from "./confidence.js";

const COUNT = 96;
const TICKS = [1, 2, 4, 8, 16, 32, 64];

export class Sphere extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.curve = this.chart("lesson_confidence_title", { height: 190 });
    this.said = h("p", { class: "fv-readout", "aria-live": "polite" });
    side.replaceChildren(this.curve.el, this.said);
  }

  /** @param {Record<string, any>} values */
  set(values) {
    this.values = values;
    if (!this.picture.wish) this.picture.show({ key: "softmax-10-0", open: this.picture.tape("softmax-10-0"), members: [0], project: this.isOpen });
    this.#tell();
  }

  /** The points leave their lengths behind. @param {boolean} before */
  open(before) {
    this.isOpen = true;
    this.picture.from = undefined;
    this.picture.view.project(true);
    if (!before) this.picture.play();
    this.#tell();
  }

  #tell() {
    const { words, context: { lang, facts: { posterior } } } = this;
    const classes = Number(this.values.count);
    const s = Number(this.values.s);
    const scales = [...Array(COUNT + 1).keys()].map((i) => 64 ** (i / COUNT));
    const along = (/** @type {(s: number) => number} */ f) => scales.map((value) => [Math.log2(value), f(value)]);
    const needed = scaleFor(posterior, classes);
    const best = along((value) => bestProbability(value, classes));
    const circle = along((value) => circleProbability(value, classes));
    this.curve.show({
      series: this.isOpen
        ? [
            { points: [[0, posterior], [6, posterior]], tone: "fv-tone-mute", dashed: true },
            { points: circle, tone: "fv-tone-ink", dashed: true, label: words("lesson_confidence_circle") },
            { points: best, tone: "fv-tone-accent", label: words("lesson_confidence_best") },
          ]
        : [],
      x: [0, 6], y: [0, 1.02],
      xTicks: TICKS.map((value) => [Math.log2(value), value === 1 ? "s = 1" : String(value)]),
      yTicks: [[0, "0"], [0.5, "50 %"], [posterior, `${Math.round(100 * posterior)} %`]],
      mark: Math.log2(s),
      dot: this.isOpen ? [Math.log2(s), bestProbability(s, classes)] : undefined,
    });
    const percent = (/** @type {number} */ value) => decimal(100 * value, lang, 1);
    this.said.textContent = this.isOpen
      ? words("lesson_confidence_said", { s: decimal(s, lang, 1), n: classes, best: percent(bestProbability(s, classes)), circle: percent(circleProbability(s, classes)), needed: decimal(needed, lang, 1) })
      : "";
  }
}
