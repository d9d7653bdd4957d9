/** Lesson 8: no margin on the left, the scrubbed margin on the right; all else is equal. */
import { h, write } from "../dom.js";
import { decimal } from "../words.js";
import { statisticText } from "../caption.js";
import { sweepSpec } from "../charts.js";
import { Recorded } from "./recorded.js";

/** What the reveal shows: this margin, reached in so many ms. */
const UP_TO = 0.5;
const GROWS = 3200;
/** @type {[string, string[]][]} */
const CURVES = [["sweep_tight", ["intra"]], ["sweep_apart", ["w_inter"]], ["accuracy_title", ["accuracy", "held_out_accuracy"]]];
const ROWS = ["intra", "w_inter", "accuracy", "held_out_accuracy", "unseen_accuracy"];

export class Effect extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    const [above, below] = [h("div"), h("div", { class: "fv-below" })];
    super(above, side, { ...context, room: (still) => context.room(still) - below.offsetHeight - 12 });
    /** @type {import("../protocol.js").Frame|null} whose curves are drawn */
    this.drawn = null;
    /** @type {import("../linechart.js").Spec[]} */
    this.specs = undefined;
    host.replaceChildren(above, below);
    this.picture.atTheEnd();
    this.curves = CURVES.map(([key]) => this.chart(key, { height: 118 }));
    this.cells = ROWS.map(() => [h("td"), h("td")]);
    const heads = h("tr", {}, h("td"), h("th", { scope: "col", text: "m₂\u00a0=\u00a00" }), (this.head = h("th", { scope: "col" })));
    const rows = ROWS.map((name, i) => h("tr", {}, h("th", { scope: "row", text: this.words(`lesson_row_${name}`) }), ...this.cells[i]));
    this.table = h("table", { class: "fv-table fv-small-table" }, h("thead", {}, heads), h("tbody", {}, ...rows));
    side.replaceChildren(h("div", { class: "fv-pair-of-charts fv-three" }, ...this.curves.map(({ el }) => el)));
    below.replaceChildren(this.table);
  }

  /** Which trained models the margin lies between. */
  get at() {
    const [first, second] = this.context.facts.values;
    return Math.round(((Number(this.values.m2) - first) / (second - first)) * 1000) / 1000;
  }

  /** @param {Record<string, any>} values */
  set(values) {
    const before = this.values;
    this.values = values;
    const key = `margin-${values.seed}`;
    if (this.picture.wish?.key !== key) this.picture.show({ key, open: this.picture.tape(key), members: [0, this.at], captions: true, caps: true, still: true });
    else if (before.m2 !== values.m2) this.picture.turn(1, this.at);
    this.#tell();
  }

  /** The margin grows by itself, once: both models begin as one. @param {boolean} before */
  open(before) {
    this.isOpen = true;
    this.#tell();
    if (before) return;
    const began = performance.now();
    const grow = (/** @type {number} */ now) => {
      const share = this.context.still ? 1 : Math.min(1, Math.max(0, now - began) / GROWS);
      this.context.change("m2", UP_TO * share);
      if (share < 1 && !this.disposed) this.growing = requestAnimationFrame(grow);
    };
    this.growing = requestAnimationFrame(grow);
    this.side.addEventListener("pointerdown", () => cancelAnimationFrame(this.growing), { once: true });
  }

  dispose() {
    this.disposed = true;
    cancelAnimationFrame(this.growing ?? 0);
    super.dispose();
  }

  /** @param {import("../store.js").FrameStore} _store @param {import("../protocol.js").Frame|null} frame */
  followed(_store, frame) {
    this.frame = frame;
    this.#tell();
  }

  #tell() {
    const { frame, run, words, context: { lang, facts } } = this;
    if (!frame || !run) return;
    const { values } = facts;
    const near = Math.round(this.at);
    write(this.head, `m₂\u00a0=\u00a0${decimal(values[near], lang, 2)}`);
    ROWS.forEach((name, i) => {
      [0, near].forEach((member, column) => write(this.cells[i][column], statisticText(name, frame.statistics[member]?.[name], words, lang)));
    });
    this.side.hidden = this.table.hidden = !this.isOpen;
    if (!this.specs || this.drawn !== frame) {
      const sweep = { name: "m2", values, bound: facts.bound, posterior: NaN };
      this.specs = CURVES.map(([, names]) => sweepSpec(frame, sweep, names, run, words));
      this.drawn = frame;
    }
    // The hand moves the mark alone.
    CURVES.forEach((_, i) => this.curves[i].show({ ...this.specs[i], mark: Number(this.values.m2) }, "", true));
  }
}
