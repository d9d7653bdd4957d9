/**
 * The right-hand side: sliders, formula, gauge, the two curves of the margin, and the run's
 * statistics. The first four follow the hand within the same frame.
 */
import { h } from "./dom.js";
import { Sliders } from "./controls.js";
import { FormulaView } from "./formulaview.js";
import { Gauge } from "./gauge.js";
import { LineChart } from "./linechart.js";
import { Pace } from "./pace.js";
import { angleSpec, boundarySpec, lossSpec, psiSpec, shareSpec } from "./charts.js";
import { medianTargetAngle } from "./store.js";
import { decimal } from "./words.js";

/** How often what is not under the hand is drawn, ms. */
const HISTORY_EVERY = 400;
const MEDIAN_EVERY = 400;
const BOUNDARY_EVERY = 60;
/** After so many steps, prototypes at less than this share of the best packing's angle lie in one place. */
const MERGED = { step: 300, share: 0.1 };

export class Panel {
  /**
   * @param {import("./skeleton.js").Skeleton} skeleton @param {{words: import("./words.js").Words, data: any}} context
   * @param {{input: (stamp: number) => void, release: () => void}} acts
   */
  constructor(skeleton, { words, data }, acts) {
    this.words = words;
    this.data = data;
    this.median = NaN;
    this.pace = new Pace(HISTORY_EVERY, (store, shown, status) => this.#charts(store, shown, status));
    this.sliders = new Sliders(data.controls, data.ranges, words, {
      input: (stamp) => {
        this.#showMargin();
        acts.input(stamp);
      },
      release: acts.release,
    });
    this.gauge = new Gauge(words, data.lang);
    this.warming = h("p", { class: "fv-warming", hidden: true });
    const chart = (/** @type {string} */ key, /** @type {any} */ options = {}) =>
      new LineChart({ title: words(key), ...options });
    this.psi = chart("psi_title", { square: true });
    this.boundary = chart("boundary_title", { square: true });
    this.loss = chart("loss_title", { height: 92 });
    this.accuracy = chart("accuracy_title", { height: 92 });
    this.angles = chart("angles_title", { height: 92 });
    this.teaching = chart("teaching_title", { height: 92 });
    /** Whose margin another steers follows the pictures. */
    this.watched = data.readonly === true;
    this.formula = h("div");
    this.curves = h("div", { class: "fv-curves" }, this.psi.el, this.boundary.el);
    const shares = [this.loss.el, this.accuracy.el, this.angles.el, this.teaching.el];
    this.shares = h("div", { class: "fv-run" }, ...shares);
    this.steeringEl = h("section", { class: "fv-steering", "aria-label": words("margin_title") },
      this.sliders.el, this.formula, this.gauge.el, this.warming);
    this.charts = h("section", { class: "fv-charts" }, this.curves, this.shares);
    skeleton.panel.replaceChildren(this.steeringEl, this.charts);
  }

  /** @returns {Record<string, string>} nothing of it belongs into a link */
  linked() {
    return {};
  }

  /** Whether the objective has a margin at all. */
  hasMargin() {
    if (this.watched) return this.#family();
    return ["m1", "m2", "m3"].some((name) => this.data.controls.includes(name));
  }

  /** Whether the one formula is at work. */
  #family() {
    return this.watched ? this.member?.in_margin_family === true : this.data.controls.length > 0;
  }

  /** Which members are on show: the one. */
  members() {
    return [0];
  }

  /** @param {any} run @param {Record<string, number>} [kept] the sliders from before */
  introduce(run, kept) {
    const [member] = run.members;
    const [m1, m2, m3] = member.margin;
    this.run = run;
    this.member = member;
    const family = this.#family();
    const margin = this.hasMargin();
    const formula = new FormulaView(member.objective, family, this.words);
    this.formula.replaceWith(formula.el);
    this.formula = formula.el;
    this.formulaView = formula;
    this.sliders.el.hidden = !this.data.controls.length;
    this.gauge.el.hidden = !margin;
    this.curves.hidden = !family;
    this.boundary.el.hidden = !margin;
    this.teaching.el.hidden = true;
    this.sliders.set(kept ?? { m1, m2, m3, s: member.scale });
    this.#showMargin();
    this.fit();
  }

  /** Caps follow the sliders. @param {import("./stage.js").Stage} stage */
  dress(stage) {
    const { m1, m2, m3 } = this.sliders.current;
    stage.cells[0].setMargin(this.hasMargin() ? { m1, m2, m3 } : null);
  }

  /** A click holds the sample on the stage; nothing here speaks of it. */
  pinned() {}

  answer() {}

  values() {
    return { ...this.sliders.current };
  }

  /** As Python wants it. */
  steering() {
    const { m1, m2, m3, s } = this.sliders.current;
    return { margin: [m1, m2, m3], scale: s };
  }

  #showMargin() {
    if (!this.run) return;
    const { m1, m2, m3 } = this.sliders.current;
    const margin = { m1, m2, m3 };
    const { tail } = this.member;
    this.formulaView?.show(this.sliders.current);
    this.psi.show(psiSpec(margin, tail, this.median, this.words), this.#medianText());
    this.#showBoundary();
    this.gauge.show(margin, this.run);
  }

  /** The second curve may come a little later than the first: both at once would cost frames. */
  #showBoundary() {
    if (this.boundaryTimer) return;
    const { m1, m2, m3 } = this.sliders.current;
    this.boundary.show(boundarySpec({ m1, m2, m3 }, this.member.tail, this.words));
    const drawn = `${m1}|${m2}|${m3}`;
    this.boundaryTimer = setTimeout(() => {
      this.boundaryTimer = undefined;
      const now = this.sliders.current;
      if (`${now.m1}|${now.m2}|${now.m3}` !== drawn) this.#showBoundary();
    }, BOUNDARY_EVERY);
  }

  #medianText() {
    if (!Number.isFinite(this.median)) return "";
    const value = decimal((this.median * 180) / Math.PI, this.data.lang, 1);
    return `${this.words("psi_here")} ${this.words("degrees", { value })}`;
  }

  /** The picture on screen has changed. @param {import("./stage.js").Stage} stage @param {import("./protocol.js").Frame} frame */
  picture(stage, frame) {
    const { picture } = stage.player;
    const { run } = stage;
    if (!this.#family()) return;
    if (this.watched) this.#followSteering(stage, frame);
    const now = performance.now();
    if (now - (this.lastMedian ?? -1e9) < MEDIAN_EVERY) return;
    this.lastMedian = now;
    this.median = medianTargetAngle(picture.points, picture.prototypes, run.labels, run.dim);
    this.#showMargin();
    this.#showWarming(frame);
  }

  /** Another moves the sliders. @param {import("./stage.js").Stage} stage @param {import("./protocol.js").Frame} frame */
  #followSteering(stage, { margins: [[m1, m2, m3]], scales: [s] }) {
    const now = { m1, m2, m3, s };
    const { current } = this.sliders;
    if (Object.entries(now).every(([name, value]) => current[name] === value)) return;
    this.sliders.set(now);
    this.#showMargin();
    this.dress(stage);
  }

  /** During a warm-up the margin in force is not the one that is set; and what fits may still fail. @param {import("./protocol.js").Frame} frame */
  #showWarming(frame) {
    const inForce = frame.margins[0];
    const { m1, m2, m3 } = this.sliders.current;
    const less = this.member.warmup > 0 && inForce && [m1, m2, m3].some((value, i) => Math.abs(value - inForce[i]) > 5e-3);
    const { packing_share: share } = frame.statistics[0] ?? {};
    const merged = !less && frame.step >= MERGED.step && Number.isFinite(share) && share < MERGED.share;
    this.warming.hidden = !less && !merged;
    if (merged) this.warming.textContent = this.words("merged");
    if (!less) return;
    const margin = inForce.map((value, i) => `m${"₁₂₃"[i]} = ${decimal(value, this.data.lang, 2)}`).join(", ");
    this.warming.textContent = this.words("warming", { margin });
  }

  /** @param {import("./store.js").FrameStore} store @param {any} shown @param {any} status */
  history(store, shown, status) {
    if (this.run) this.pace.ask(store, shown, status);
  }

  /** @param {import("./store.js").FrameStore} store @param {any} shown @param {any} status */
  #charts(store, shown, status) {
    const { kept, newest } = store;
    const frames = newest && kept[kept.length - 1] !== newest ? [...kept, newest] : kept;
    if (!frames.length) return;
    const member = 0;
    const last = Math.max(status.steps || 0, frames[frames.length - 1].step, 1);
    const at = shown ?? frames[frames.length - 1];
    const spot = at.statistics[member] ?? {};
    const mark = at.step;
    const { words } = this;
    const labels = { train: words("accuracy_train"), held: words("accuracy_held") };
    this.loss.show({ ...lossSpec(frames, member, last), mark }, this.#number(at.losses[member], 3), true);
    this.accuracy.show({ ...shareSpec(frames, member, last, "accuracy", labels), mark }, this.#accuracies(spot), true);
    this.angles.show({ ...angleSpec(frames, member, last, this.run.packing_angle, words), mark }, this.#ofBest(spot.packing_share), true);
    const teaches = frames.some((frame) => frame.statistics[member]?.teaching_share != null);
    if (this.teaching.el.hidden === teaches) {
      this.teaching.el.hidden = !teaches;
      this.fit();
    }
    if (teaches) this.teaching.show({ ...shareSpec(frames, member, last, "teaching_share", null), mark }, this.#percent(spot.teaching_share), true);
  }

  /** @param {number|null|undefined} value @param {number} digits */
  #number(value, digits) {
    return value == null || !Number.isFinite(value) ? "–" : decimal(value, this.data.lang, digits);
  }

  /** @param {number|null|undefined} share */
  #percent(share) {
    return share == null || !Number.isFinite(share) ? "" : `${decimal(share * 100, this.data.lang, 1)} %`;
  }

  /** Training accuracy, and the held-out one where something is held out. @param {any} spot */
  #accuracies(spot) {
    return [spot.accuracy, spot.held_out_accuracy].map((share) => this.#percent(share)).filter(Boolean).join(" · ");
  }

  /** The run's charts stand under the picture where that balances the page. @param {string} shape @param {HTMLElement} left */
  place(shape, left) {
    const host = shape === "medium" && this.#family() ? left : this.charts;
    if (this.shares.parentElement !== host) host.append(this.shares);
    this.fit();
  }

  /** @param {number|null|undefined} share of the best packing's angle */
  #ofBest(share) {
    const value = this.#percent(share);
    return value && this.words("angles_share", { value });
  }

  fit() {
    for (const chart of [this.psi, this.boundary, this.loss, this.accuracy, this.angles, this.teaching]) chart.fit();
  }

  redraw() {
    this.#showMargin();
  }

  dispose() {
    this.pace.stop();
    clearTimeout(this.boundaryTimer);
    this.shares.remove();
  }
}
