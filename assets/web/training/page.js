/**
 * A full-scale run on screen: asks the server what is new, every two seconds while it trains and
 * somebody looks, and has it drawn. It measures nothing and stops nothing.
 */
import { h, write } from "../dom.js";
import { LineChart } from "../linechart.js";
import { decimal, wordsFrom } from "../words.js";
import { curveSpec, evaluationSpec, metricsOf } from "./curves.js";
import { History } from "./history.js";
import { AngleRows, Events, Log, State } from "./pieces.js";
import { Spread } from "./spread.js";

/** Time from one answer to the next question, ms. */
const LIVE = 2000;
const RESTING = 4000;
const AFTER_ERROR = 2500;
/** While it trains, curves are drawn this often at most: where compositing is in software, they cost the trainer more than numbers do. */
const DRAWING = 3500;
const MOVING = ["queued", "starting", "training", "stopping"];
const HEIGHT = 150;

export class TrainingView {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.parent = parent;
    this.root = h("div", { class: "fv-root fv-training" });
    parent.append(this.root);
    this.history = new History();
    /** @type {any} the last answer */
    this.run = undefined;
    this.metric = "";
    this.log = false;
    this.resizes = new ResizeObserver(() => this.#fit());
    this.resizes.observe(this.root);
    this.seen = () => !document.hidden && this.#ask();
    document.addEventListener("visibilitychange", this.seen);
    this.watch = setInterval(() => !this.parent.isConnected && this.dispose(), 3000);
  }

  /** @param {import("../live.js").Component} component */
  update(component) {
    const { data } = component;
    const before = this.data;
    this.component = component;
    this.data = data;
    const theme = data.theme === "dark" ? "dark" : "light";
    const another = !before || before.token !== data.token;
    if (!before || before.lang !== data.lang) this.#build();
    if (another) {
      this.history.clear();
      this.run = undefined;
      this.drawnAt = -Infinity;
      write(this.note, "");
      this.root.dataset.waiting = "";
      this.#ask();
    } else if (before.lang !== data.lang || this.root.dataset.theme !== theme) {
      this.root.dataset.theme = theme;
      this.drawnAt = -Infinity;
      this.spread.fit();
      this.#tell();
    }
    this.root.dataset.theme = theme;
  }

  /** All elements, in the page's language. */
  #build() {
    const { lang } = this.data;
    const words = (this.words = wordsFrom(this.data.strings, lang));
    this.notice = h("p", { class: "fv-lost", role: "status", hidden: true });
    this.state = new State(words, lang);
    /** @type {Record<string, LineChart>} */
    this.curves = Object.fromEntries(["loss", "angle_deg", "learning_rate", "images_per_second"].map((name) => [name, new LineChart({ title: words(`full_curve_${name}`), height: HEIGHT })]));
    this.logarithm = h("input", { type: "checkbox", class: "fv-switch", onchange: () => this.#draw() });
    this.curves.loss.readout.replaceWith(h("label", { class: "fv-training-log-scale" }, this.logarithm, h("span", { text: words("full_logarithm") })));
    this.evaluation = new LineChart({ title: words("full_evaluation"), height: HEIGHT + 40 });
    this.metrics = h("div", { class: "fv-speeds fv-training-metrics", role: "radiogroup", "aria-label": words("full_metric") });
    this.judged = h("div", { class: "fv-training-judged", hidden: true }, this.metrics, this.evaluation.el, (this.failures = h("p", { class: "fv-quiet-note" })));
    this.table = new AngleRows(words, lang);
    this.spread = new Spread(words, lang, () => this.table.show(this.history.angles, this.spread.chosen));
    this.events = new Events(words, lang);
    this.output = new Log(words, () => this.#ask());
    this.note = h("p", { class: "fv-quiet-note" });
    this.root.replaceChildren(
      this.notice, this.state.el,
      (this.curvesEl = h("div", { class: "fv-training-curves", hidden: true }, ...Object.values(this.curves).map((chart) => chart.el))),
      h("div", { class: "fv-training-two" }, this.judged, this.table.el),
      this.spread.el, this.note, this.events.el, this.output.el);
    this.metricKey = "";
  }

  /** What is new; then again, as long as the view is there. */
  async #ask() {
    clearTimeout(this.timer);
    const { token, base } = this.data;
    const number = (this.number = (this.number ?? 0) + 1);
    const query = new URLSearchParams({ from: this.history.at, ...(this.output.wanted ? { log: "1" } : {}) });
    let wait = AFTER_ERROR;
    try {
      const answer = await fetch(`${base}/training/${token}.json?${query}`);
      const told = await answer.json();
      if (number !== this.number || this.disposed) return;
      if (told.gone) {
        this.#say(told.sentence ?? this.words("full_gone"));
      } else {
        this.#say("");
        const news = this.history.take(told);
        // What can be done with a run stands beside the view, and is another now.
        if (this.run && this.run.state !== told.state) this.component.setTriggerValue("moved", told.state);
        this.run = told;
        this.#tell(news);
        wait = MOVING.includes(told.state) ? LIVE : RESTING;
      }
    } catch {
      if (number !== this.number || this.disposed) return;
      this.#say(this.words("lost"));
    }
    // Nobody looks at a hidden page: it asks again when it is seen.
    if (!document.hidden) this.timer = setTimeout(() => this.#ask(), wait);
  }

  /** @param {string} text */
  #say(text) {
    this.notice.hidden = !text;
    write(this.notice, text);
  }

  /** @param {boolean} [news] */
  #tell(news = true) {
    const { run, history } = this;
    if (!run) return;
    delete this.root.dataset.waiting;
    this.state.show(run, history);
    this.output.show(run.log);
    this.undrawn ||= news;
    const soon = run.state === "training" && performance.now() - this.drawnAt < DRAWING;
    if (!this.undrawn || soon) return;
    this.undrawn = false;
    this.drawnAt = performance.now();
    this.#draw();
    this.#judge();
    this.spread.show(history.angles, run.steps);
    this.table.show(history.angles, this.spread.chosen);
    this.events.show(history.events);
    const remarks = [run.every > 1 && this.words("full_thinned", { every: run.every }), run.unreadable > 0 && this.words("full_unreadable", { n: run.unreadable })];
    const text = remarks.filter(Boolean).join(" ");
    if (text) write(this.note, text);
  }

  #draw() {
    const { history, run } = this;
    if (!run) return;
    const { lang } = this.data;
    const last = run.steps || history.last("step") || 1;
    const first = this.curvesEl.hidden && (history.train.step?.length ?? 0) > 0;
    this.curvesEl.hidden = !(history.train.step?.length ?? 0);
    if (first) this.#fit();
    for (const [name, chart] of Object.entries(this.curves)) {
      const log = name === "loss" && this.logarithm.checked;
      const known = history.last(name) !== undefined;
      chart.el.hidden = name === "angle_deg" && !known && (history.train.step?.length ?? 0) > 0;
      const unit = name === "angle_deg" ? "°" : "";
      chart.show(curveSpec(history.train, name, { last, lang, log, unit }));
    }
  }

  /** The evaluations of all sets by one metric. */
  #judge() {
    const { evaluations } = this.history;
    const metrics = metricsOf(evaluations);
    this.judged.hidden = !evaluations.length;
    const errors = evaluations.filter((entry) => entry.error).slice(-1);
    write(this.failures, errors.map((entry) => `${entry.set}: ${entry.error}`).join(" "));
    if (!metrics.includes(this.metric)) this.metric = metrics[0] ?? "accuracy";
    if (metrics.join() !== this.metricKey) this.#offer(metrics);
    const { lang } = this.data;
    const name = (/** @type {string} */ set, /** @type {number} */ value) => (Number.isFinite(value) ? `${set}: ${decimal(100 * value, lang, 2)} %` : set);
    this.evaluation.entitle(`${this.words("full_evaluation")}: ${this.words(`full_metric_${this.metric.replace(".", "_")}`)}`);
    this.evaluation.show(evaluationSpec(evaluations, this.metric, { last: this.run.steps, lang, name }));
  }

  /** @param {string[]} metrics */
  #offer(metrics) {
    this.metricKey = metrics.join();
    const group = `fv-metric-${Math.random().toString(36).slice(2)}`;
    this.metrics.replaceChildren(...metrics.map((metric) => {
      const input = h("input", { type: "radio", name: group, checked: metric === this.metric, onchange: () => {
        this.metric = metric;
        this.#judge();
      } });
      return h("label", {}, input, h("span", { text: this.words(`full_metric_${metric.replace(".", "_")}`) }));
    }));
  }

  #fit() {
    if (!this.data) return;
    for (const chart of [...Object.values(this.curves), this.evaluation]) chart.fit();
    this.spread.fit();
  }

  dispose() {
    this.disposed = true;
    clearTimeout(this.timer);
    clearInterval(this.watch);
    document.removeEventListener("visibilitychange", this.seen);
    this.resizes.disconnect();
    this.root.remove();
  }
}
