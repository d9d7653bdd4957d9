/** Lesson 1: plain softmax while it trains; lengths are free, and the classes become rays. */
import { lossSpec, shareSpec } from "../charts.js";
import { decimal } from "../words.js";
import { h } from "../dom.js";
import { Recorded } from "./recorded.js";

export class Softmax extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.loss = this.chart("loss_title");
    this.accuracy = this.chart("accuracy_title");
    this.lengths = h("p", { class: "fv-readout" });
    side.replaceChildren(h("div", { class: "fv-pair-of-charts" }, this.loss.el, this.accuracy.el), this.lengths);
  }

  /** @param {Record<string, any>} values */
  set(values) {
    this.values = values;
    const key = `softmax-${values.classes}-${values.seed}`;
    if (this.picture.wish?.key !== key) this.picture.show({ key, open: this.picture.tape(key), members: [0] });
  }

  /** @param {import("../store.js").FrameStore} store @param {import("../protocol.js").Frame|null} frame */
  followed(store, frame) {
    if (!frame || !store.kept.length) return;
    const { lang } = this.context;
    const member = 0;
    const last = store.kept[store.kept.length - 1].step;
    const known = this.isOpen ? store.kept : store.kept.slice(0, 1);
    const spot = frame.statistics[member];
    this.loss.show({ ...lossSpec(known, member, last), mark: frame.step }, frame.losses[member] === null ? "" : decimal(frame.losses[member], lang, 3), true);
    this.accuracy.show({ ...shareSpec(known, member, last, "accuracy", null), mark: frame.step }, `${decimal(100 * (spot.accuracy ?? 0), lang, 1)} %`, true);
  }

  /** @param {import("../stage.js").Stage} stage */
  shown(stage) {
    const longest = decimal(stage.player.picture.radius, this.context.lang, 1);
    this.lengths.textContent = this.words("lesson_lengths", { longest });
  }
}
