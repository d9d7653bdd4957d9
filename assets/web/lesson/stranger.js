/** Lesson 2: digits that were never in training land in the picture, and the classifier is sure of them. */
import { h } from "../dom.js";
import { tile } from "../tile.js";
import { decimal } from "../words.js";
import { Recorded } from "./recorded.js";

const BARS = 25;
const PICTURES = 6;
/** Side of a picture, in letters' heights. */
const TILE = 3.2;

export class Stranger extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.bars = this.chart("lesson_sure_title", { height: 120 });
    this.strip = h("ul", { class: "fv-strip" });
    this.said = h("p", { class: "fv-readout" });
    side.replaceChildren(this.bars.el, this.said, this.strip);
    context.tape("stranger").then((tape) => {
      this.extra = tape.extra;
      this.tape = tape;
      this.#tell();
    }, () => {});
  }

  /** @param {Record<string, any>} values */
  set(values) {
    this.values = values;
    if (!this.picture.wish) this.picture.show({ key: "stranger", open: this.picture.tape("stranger"), members: [0] });
    this.#tell();
  }

  /** @param {boolean} before */
  open(before) {
    super.open(before);
    this.#tell();
  }

  #tell() {
    const { tape, words } = this;
    if (!tape || !this.values.threshold) return;
    this.side.hidden = !this.isOpen;
    if (!this.isOpen) return;
    const { labels, class_names: names } = tape.run;
    const { sure } = this.extra;
    const known = sure.filter((/** @type {number} */ _, /** @type {number} */ i) => labels[i] < names.length);
    const which = this.#chosen();
    const strange = which.map((i) => sure[i]);
    const threshold = Number(this.values.threshold);
    this.bars.show({
      series: [
        { points: outline(known), tone: "fv-tone-mute", bars: true, label: words("lesson_known") },
        { points: outline(strange), tone: "fv-tone-accent", filled: false, label: words("lesson_strangers") },
      ],
      x: [0, 1], y: [0, 1.05], xTicks: [[0, "0"], [0.5, "50 %"], [1, "100 %"]], yTicks: [[0, "0"], [1, "100 %"]], mark: threshold,
    });
    const share = (/** @type {number[]} */ list) => decimal((100 * list.filter((v) => v >= threshold).length) / list.length, this.context.lang, 1);
    this.said.textContent = words("lesson_accepted", { strangers: share(strange), known: share(known), threshold: decimal(100 * threshold, this.context.lang, 1) });
    this.#pictures(which);
    this.#focus(which);
  }

  /** The samples of the strangers that are chosen. @returns {number[]} */
  #chosen() {
    const { labels, class_names: names, unseen_names: unseen } = this.tape.run;
    const wanted = unseen.indexOf(String(this.values.stranger));
    return [...labels.keys()].filter((i) => labels[i] >= names.length && (wanted < 0 || labels[i] === names.length + wanted));
  }

  /** Some of them as pictures, with the name that they are given. @param {number[]} which */
  #pictures(which) {
    const { class_names: names, unseen_names: unseen, labels, sprite } = this.tape.run;
    const { sure, named } = this.extra;
    const step = which.length / PICTURES;
    const items = [...Array(PICTURES).keys()].map((k) => {
      const i = which[Math.floor((k + 0.5) * step)];
      const picture = tile(sprite, i, TILE);
      const truth = unseen[labels[i] - names.length];
      const text = this.words("lesson_named", { truth, name: names[named[i]], share: decimal(100 * sure[i], this.context.lang, 0) });
      const passes = sure[i] >= Number(this.values.threshold);
      return h("li", { "data-passes": String(passes) }, picture, h("span", { text: passes ? text : this.words("lesson_unknown", { truth }) }));
    });
    this.strip.replaceChildren(...items);
  }

  /** The chosen strangers stand out: the others of them are not drawn. @param {number[]} which */
  #focus(which) {
    const { stage } = this.picture;
    if (!stage) return;
    const { labels, class_names: names } = this.tape.run;
    const chosen = new Set(which);
    stage.only((/** @type {number} */ i) => labels[i] < names.length || chosen.has(i));
  }

  /** @param {any} stage */
  shown(stage) {
    if (this.focused === stage || !this.tape || !this.isOpen) return;
    this.focused = stage;
    this.#focus(this.#chosen());
  }
}

/** A histogram's outline, as shares of all samples. @param {number[]} shares from 0 to 1 */
function outline(shares) {
  const bars = new Array(BARS).fill(0);
  for (const share of shares) bars[Math.min(BARS - 1, Math.floor(share * BARS))] += 1;
  const total = Math.max(1, shares.length);
  return [[0, 0], ...bars.flatMap((count, i) => [[i / BARS, count / total], [(i + 1) / BARS, count / total]]), [1, 0]];
}
