/** Lesson 9: five losses as one formula: their target cosines, the decision plane, and what they train. */
import { h } from "../dom.js";
import { DEGREES, boundarySpec } from "../charts.js";
import { targetCosine } from "../formula.js";
import { FormulaView } from "../formulaview.js";
import { decimal } from "../words.js";
import { Recorded } from "./recorded.js";

const COUNT = 90;

export class OneFormula extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.picture.atTheEnd();
    this.psi = this.chart("lesson_targets", { height: 240 });
    this.boundary = this.chart("boundary_title", { height: 240 });
    this.formula = new FormulaView("combined", true, this.words);
    this.said = h("p", { class: "fv-readout" });
    side.replaceChildren(this.formula.el, h("div", { class: "fv-pair-of-charts" }, this.psi.el, this.boundary.el), this.said);
  }

  /** @param {Record<string, any>} values */
  set(values) {
    const { preset } = values;
    if (this.values.preset && preset !== this.values.preset && this.run) {
      const [m1, m2, m3] = this.run.members[this.#place(preset)].margin;
      this.values = { ...values, m1, m2, m3 };
      for (const [name, value] of Object.entries({ m1, m2, m3 })) this.context.change(name, value);
      return;
    }
    this.values = values;
    const member = this.#place(preset);
    if (!this.picture.wish) this.picture.show({ key: "family", open: this.picture.tape("family"), members: [member], captions: true, caps: true });
    else this.picture.turn(0, member);
    this.#tell();
  }

  /** @param {import("../store.js").FrameStore} _store @param {import("../protocol.js").Frame|null} frame */
  followed(_store, frame) {
    if (frame && this.told !== this.run) this.#tell();
  }

  open() {
    this.isOpen = true;
    this.#tell();
  }

  /** The tape's member with this loss. @param {string} loss */
  #place(loss) {
    return this.context.facts.losses.indexOf(loss);
  }

  #tell() {
    const { run, words, values, context: { lang } } = this;
    if (!run) return;
    this.told = run;
    this.side.hidden = !this.isOpen;
    const margin = { m1: Number(values.m1), m2: Number(values.m2), m3: Number(values.m3) };
    const angles = [...Array(COUNT + 1).keys()].map((i) => (Math.PI * i) / COUNT);
    const curve = (/** @type {any} */ m, /** @type {any} */ tail) => angles.map((angle) => [angle, targetCosine(angle, m, tail)]);
    const others = run.members.map((/** @type {any} */ { margin: [m1, m2, m3] }, /** @type {number} */ place) => {
      return { points: curve({ m1, m2, m3 }, "monotone"), tone: "fv-tone-mute", dashed: true, label: place === 0 ? words("lesson_other_losses") : undefined };
    });
    this.psi.show({
      series: [...others, { points: curve(margin, values.tail), tone: "fv-tone-accent", label: words("lesson_this_margin") }],
      x: [0, Math.PI], y: [-1.6, 1.05], xTicks: DEGREES, yTicks: [[1, "1"], [0, "0"], [-1, "−1"]],
    });
    this.boundary.show(boundarySpec(margin, values.tail, words));
    this.formula.show({ ...margin, s: run.members[0].scale });
    const lost = 1 - targetCosine(0, margin, values.tail);
    const shown = run.members[this.#place(values.preset)].margin;
    const same = [margin.m1, margin.m2, margin.m3].every((value, i) => Math.abs(value - shown[i]) < 1e-9);
    this.said.textContent = `${words("lesson_at_zero", { value: decimal(lost, lang, 3) })} ${same ? "" : words("lesson_not_trained")}`;
  }
}
