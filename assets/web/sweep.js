/**
 * The margin scrub: a slider through trained members, and beside it every statistic against the
 * margin, with the place from which the margin no longer fits. Moving the slider asks nobody.
 */
import { h } from "./dom.js";
import { FormulaView } from "./formulaview.js";
import { Gauge } from "./gauge.js";
import { LineChart } from "./linechart.js";
import { Pace } from "./pace.js";
import { sweepSpec } from "./charts.js";
import { SYMBOL } from "./controls.js";
import { short, statisticText } from "./caption.js";

const CURVES_EVERY = 400;
const WALK_SECONDS = 7;
/** @type {[string, string[]][]} one chart each: its title, the statistics in it */
const CURVES = [
  ["sweep_tight", ["intra", "w_ec", "unseen_intra"]],
  ["sweep_apart", ["w_inter", "inter", "unseen_inter"]],
  ["sweep_accuracy", ["accuracy", "held_out_accuracy", "unseen_accuracy"]],
  ["sweep_packing", ["packing_share"]],
];

export class Sweep {
  /**
   * @param {import("./skeleton.js").Skeleton} skeleton @param {{words: import("./words.js").Words, data: any}} context
   * @param {{scrub: (member: number, stamp: number) => void}} acts
   */
  constructor(skeleton, { words, data }, acts) {
    this.words = words;
    this.data = data;
    this.acts = acts;
    this.pace = new Pace(CURVES_EVERY, (frame) => this.#curves(frame));
    this.at = 0;
    /** @type {{name: string, values: number[], bound: number|null, posterior: number}} */
    this.sweep = data.sweep;
    this.name = this.sweep.name === "scale" ? "s" : this.sweep.name;
    const last = this.sweep.values.length - 1;
    const label = `${SYMBOL[this.name]} ${words(this.name)}`;
    this.range = h("input", { type: "range", class: "fv-range fv-scrub-range", min: 0, max: last, step: "any", value: 0, "aria-label": label });
    this.value = h("output", { class: "fv-scrub-value" });
    this.state = h("small");
    this.walk = h("button", { type: "button", class: "fv-button", onclick: () => this.#walk(), text: words("sweep_walk"), title: words("sweep_walk_title") });
    this.range.addEventListener("input", (/** @type {Event} */ e) => this.#move(Number(this.range.value), e.timeStamp));
    this.range.addEventListener("change", () => this.#move(Math.round(this.at), 0));
    this.range.addEventListener("pointerdown", () => this.#stopWalking());
    this.range.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => this.#key(e));
    const ends = h("div", { class: "fv-scrub-ends" }, h("span", { text: this.#text(0) }), h("span", { text: this.#text(last) }));
    const title = h("span", { class: "fv-slider-name" }, h("i", { text: SYMBOL[this.name] }), h("span", { text: words(this.name) }), h("small", { text: words(`${this.name}_by`) }));
    const slider = h("div", { class: "fv-scrub-slider" }, title, this.value, this.range, ends, this.state);
    this.gauge = new Gauge(words, data.lang);
    this.formulaView = new FormulaView(data.sweep.objective, true, words);
    this.charts = CURVES.map(([key]) => new LineChart({ title: words(key), height: 132 }));
    const elements = this.charts.map(({ el }) => el);
    this.first = h("div", { class: "fv-sweep-curves" }, ...elements.slice(0, 2));
    this.second = h("div", { class: "fv-sweep-curves" }, ...elements.slice(2));
    this.curves = h("section", { class: "fv-charts" }, this.first, this.second);
    const steering = h("section", { class: "fv-steering" }, slider, this.walk, this.formulaView.el, this.gauge.el);
    skeleton.panel.replaceChildren(steering, this.curves);
  }

  members() {
    return [0];
  }

  /** Where the slider stands survives a change of language. */
  values() {
    return { at: this.at };
  }

  /** @returns {Record<string, string>} what of it belongs into a link */
  linked() {
    return { at: String(Number(this.at.toFixed(3))) };
  }

  /** @param {any} run @param {any} [kept] */
  introduce(run, kept) {
    this.run = run;
    const top = this.sweep.values.length - 1;
    this.at = Math.min(top, kept?.at ?? this.data.place ?? Math.round(top / 2));
    this.range.value = String(this.at);
    this.#show();
    this.fit();
  }

  /** The caps of the margin under the slider. @param {import("./stage.js").Stage} stage */
  dress(stage) {
    const { m1, m2, m3 } = this.#margin();
    stage.cells[0].setMargin({ m1, m2, m3 });
    if (stage.player.member !== this.at) stage.player.turnTo(this.at, performance.now());
  }

  /** m1, m2, m3 and s at the slider, between two members as far as it stands between them. */
  #margin() {
    const low = Math.floor(this.at);
    const share = this.at - low;
    const one = this.run.members[low];
    const two = this.run.members[Math.min(low + 1, this.run.members.length - 1)];
    const mix = (/** @type {number} */ a, /** @type {number} */ b) => a + (b - a) * share;
    const [m1, m2, m3] = one.margin.map((/** @type {number} */ v, /** @type {number} */ i) => mix(v, two.margin[i]));
    return { m1, m2, m3, s: mix(one.scale, two.scale) };
  }

  /** @param {number} at @param {number} stamp */
  #move(at, stamp) {
    this.at = at;
    this.range.value = String(at);
    this.acts.scrub(at, stamp);
    this.#show();
  }

  /** Arrow keys go from one trained member to the next. @param {KeyboardEvent} event */
  #key(event) {
    const last = this.sweep.values.length - 1;
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5, Home: -last, End: last };
    const by = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (by === undefined) return;
    event.preventDefault();
    this.#stopWalking();
    this.#move(Math.min(last, Math.max(0, Math.round(this.at) + by)), event.timeStamp);
  }

  /** There and back again, by itself. */
  #walk() {
    if (this.walking) {
      this.#stopWalking();
      return;
    }
    const last = this.sweep.values.length - 1;
    const began = performance.now();
    const start = Math.acos(1 - (2 * this.at) / last);
    const go = (/** @type {number} */ now) => {
      const passed = Math.max(0, now - began) / 1000 / WALK_SECONDS;
      this.#move((last * (1 - Math.cos(start + 2 * Math.PI * passed))) / 2, 0);
      if (passed < 1) this.walking = requestAnimationFrame(go);
      else this.#stopWalking();
    };
    this.walking = requestAnimationFrame(go);
    this.walk.textContent = this.words("sweep_stay");
  }

  #stopWalking() {
    if (!this.walking) return;
    cancelAnimationFrame(this.walking);
    this.walking = 0;
    this.walk.textContent = this.words("sweep_walk");
    this.#move(Math.round(this.at), 0);
  }

  /** @param {number} index */
  #text(index) {
    return short(this.sweep.values[index], this.data.lang);
  }

  #show() {
    const { run, words } = this;
    const margin = this.#margin();
    const near = Math.round(this.at);
    this.range.style.setProperty("--fv-fill", `${(this.at / (this.sweep.values.length - 1)) * 100}%`);
    const between = Math.abs(this.at - near) > 0.02;
    const value = between ? short(this.#value(), this.data.lang) : this.#text(near);
    this.value.textContent = `${SYMBOL[this.name]} = ${value}`;
    this.range.setAttribute("aria-valuetext", this.value.textContent);
    const [a, b] = [Math.floor(this.at), Math.ceil(this.at)];
    this.state.textContent = between ? words("sweep_between", { low: this.#text(a), high: this.#text(b) }) : words("sweep_trained");
    this.formulaView.show({ ...margin });
    this.gauge.show(margin, run);
    this.#mark();
  }

  /** The swept value under the slider. */
  #value() {
    const { values } = this.sweep;
    const low = Math.floor(this.at);
    return values[low] + (values[Math.min(low + 1, values.length - 1)] - values[low]) * (this.at - low);
  }

  /** The curves follow the slider by their mark alone. @param {boolean} [now] */
  #mark(now = false) {
    if (!this.frame) return;
    const near = Math.round(this.at);
    const x = this.#value();
    this.charts.forEach((chart, i) => {
      if (!this.specs?.[i]) return;
      const [first] = CURVES[i][1];
      const text = statisticText(first, this.frame.statistics[near]?.[first], this.words, this.data.lang);
      chart.show({ ...this.specs[i], mark: x }, text, now);
    });
  }

  /** @param {import("./stage.js").Stage} stage @param {import("./protocol.js").Frame} frame */
  picture(stage, frame) {
    this.frame = frame;
  }

  /** @param {import("./store.js").FrameStore} store @param {import("./protocol.js").Frame|null} shown */
  history(store, shown) {
    const frame = shown ?? store.newest;
    if (this.run && frame) this.pace.ask(frame);
  }

  /** @param {import("./protocol.js").Frame} frame */
  #curves(frame) {
    this.frame = frame;
    const unseen = this.run.unseen_names.length > 0;
    this.specs = CURVES.map(([, names]) => sweepSpec(frame, this.sweep, names.filter((name) => unseen || !name.startsWith("unseen")), this.run, this.words));
    this.#mark(true);
  }

  pinned() {}

  answer() {}

  /** Half of the curves stand under the picture where that balances the page. @param {string} shape @param {HTMLElement} left */
  place(shape, left) {
    const host = shape === "medium" ? left : this.curves;
    if (this.second.parentElement !== host) host.append(this.second);
    this.fit();
  }

  fit() {
    for (const chart of this.charts) chart.fit();
  }

  redraw() {
    if (this.run) this.#show();
  }

  dispose() {
    this.pace.stop();
    cancelAnimationFrame(this.walking ?? 0);
    this.second.remove();
  }
}
