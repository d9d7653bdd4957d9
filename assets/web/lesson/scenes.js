/** Lessons 3 and 4: first one pair or triplet under the hand, then the training they come from. */
import { h } from "../dom.js";
import { lossSpec, shareSpec } from "../charts.js";
import { decimal, compact } from "../words.js";
import Pair from "./pair.js";
import Triplet from "./triplet.js";
import { Recorded } from "./recorded.js";
import { costs } from "./lossmath.js";

/** A recorded training, with the curves of its loss. */
class Training extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.loss = this.chart("loss_title");
    this.accuracy = this.chart("accuracy_title");
    this.said = h("p", { class: "fv-readout" });
    side.replaceChildren(h("div", { class: "fv-pair-of-charts" }, this.loss.el, this.accuracy.el), this.said);
    this.member = 0;
  }

  /** @param {import("../store.js").FrameStore} store @param {import("../protocol.js").Frame|null} frame */
  followed(store, frame) {
    if (!frame || !store.kept.length) return;
    const { member, context: { lang } } = this;
    const last = store.kept[store.kept.length - 1].step;
    const value = frame.losses[member];
    this.loss.show({ ...lossSpec(store.kept, member, last), mark: frame.step }, value === null ? "" : decimal(value, lang, 3), true);
    const { accuracy } = frame.statistics[member];
    this.accuracy.show({ ...shareSpec(store.kept, member, last, "accuracy", null), mark: frame.step }, `${decimal(100 * accuracy, lang, 1)} %`, true);
  }
}

/** Contrastive training. */
class Contrastive extends Training {
  set() {
    if (!this.picture.wish) this.picture.show({ key: "contrastive", open: this.picture.tape("contrastive"), members: [0] });
    const { words, context: { lang, facts } } = this;
    this.said.textContent = words("lesson_pairs_said", { images: compact(facts.images, lang), pairs: compact(costs(1, facts.images, 1, 1).pairs, lang) });
  }
}

/** Triplet training, and the share of triplets that still teach. */
class Triplets extends Training {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.teaching = this.chart("teaching_title", { height: 130 });
    side.replaceChildren(this.teaching.el, h("div", { class: "fv-pair-of-charts" }, this.loss.el, this.accuracy.el), this.said);
  }

  /** @param {Record<string, any>} values */
  set(values) {
    const { words, context: { lang, facts } } = this;
    this.member = facts.margins.indexOf(values.distance_margin) * facts.mining.length + facts.mining.indexOf(values.mining);
    if (!this.picture.wish) this.picture.show({ key: "triplet", open: this.picture.tape("triplet"), members: [this.member] });
    else this.picture.turn(0, this.member);
    const people = Math.round(10 ** Number(values.identities));
    const images = Number(values.images);
    this.said.textContent = words("lesson_triplets_said", { people: compact(people, lang), images, triplets: compact(costs(people, images, 1, 1).triplets, lang) });
  }

  /** @param {import("../store.js").FrameStore} store @param {import("../protocol.js").Frame|null} frame */
  followed(store, frame) {
    super.followed(store, frame);
    if (!frame || store.kept.length < 2) return;
    const { member, context: { lang, facts } } = this;
    const last = store.kept[store.kept.length - 1].step;
    const share = frame.statistics[member].teaching_share;
    const spec = shareSpec(store.kept, member, last, "teaching_share", null);
    const epoch = facts.epoch20;
    this.teaching.show({
      ...spec,
      series: [{ points: [[epoch, 0], [epoch, 1]], tone: "fv-tone-mute", dashed: true, label: this.words("lesson_epoch20") }, ...spec.series],
      mark: frame.step,
    }, share == null ? "" : `${decimal(100 * share, lang, 1)} %`, true);
  }
}

/** A diagram and a training that take turns; the control "scene" says which. */
class Scenes {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context @param {any} Diagram @param {any} Run */
  constructor(host, side, context, Diagram, Run) {
    const part = () => h("div", { class: "fv-scene" });
    this.parts = { diagram: { host: part(), side: part() }, training: { host: part(), side: part() } };
    const { diagram, training } = this.parts;
    host.replaceChildren(diagram.host, training.host);
    side.replaceChildren(diagram.side, training.side);
    this.context = context;
    this.Run = Run;
    this.diagram = new Diagram(diagram.host, diagram.side, context);
    this.isOpen = context.revealed();
    /** @type {any} */
    this.training = undefined;
  }

  /** @param {Record<string, any>} values */
  set(values) {
    this.values = values;
    const training = values.scene === "training";
    const appears = training && this.parts.training.host.hidden;
    for (const [name, { host, side }] of Object.entries(this.parts)) host.hidden = side.hidden = (name === "training") !== training;
    if (training) {
      this.training ??= new this.Run(this.parts.training.host, this.parts.training.side, this.context);
      this.training.set(values);
      if (appears) this.training.open(false);
    } else this.diagram.set(values);
    this.fit();
  }

  /** @param {boolean} before */
  open(before) {
    this.isOpen = true;
    this.diagram.open(before);
    this.training?.open(before);
  }

  get #shown() {
    return this.values?.scene === "training" ? this.training : this.diagram;
  }

  fit() {
    this.#shown?.fit();
  }

  relook() {
    this.training?.relook();
    this.diagram.fit();
  }

  toggle() {
    this.#shown?.toggle?.();
  }

  rewind() {
    this.#shown?.rewind?.();
  }

  state() {
    return this.#shown?.state() ?? {};
  }

  dispose() {
    this.diagram.dispose();
    this.training?.dispose();
  }
}

export class Siamese extends Scenes {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context, Pair, Contrastive);
  }
}

export class TripletLesson extends Scenes {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context, Triplet, Triplets);
  }
}
