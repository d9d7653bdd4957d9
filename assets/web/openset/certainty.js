/** The closed-set classifier is sure of strangers too; the angle to the nearest prototype tells them apart better. */
import { h, write } from "../dom.js";
import { LineChart } from "../linechart.js";
import { Losses, degrees, outline, percent, picture } from "./pieces.js";

const SHOWN = 8;

export class Certainty {
  /** @param {HTMLElement} host @param {import("./page.js").OpenSet} page */
  constructor(host, page) {
    this.page = page;
    const { words } = page;
    this.losses = new Losses(page);
    this.sure = new LineChart({ title: words("open_sure"), height: 220 });
    this.near = new LineChart({ title: words("open_near"), height: 220 });
    this.said = h("p", { class: "fv-readout", "aria-live": "polite" });
    this.none = h("p", { class: "fv-quiet-note", text: words("open_no_classifier") });
    this.title = h("h4", { text: words("open_guesses") });
    this.guesses = h("ul", { class: "fv-guesses" });
    this.failure = h("p", { class: "fv-lost", hidden: true });
    this.good = h("div", {}, h("div", { class: "fv-two" }, h("div", {}, this.sure.el, this.none), this.near.el), this.said, this.title, this.guesses);
    host.replaceChildren(this.losses.el, this.failure, this.good);
  }

  /** @param {any} report */
  show(report) {
    const { page } = this;
    const { words, data } = page;
    const { lang } = data;
    this.losses.show(page.chosen);
    const found = report.members[page.chosen];
    this.failure.hidden = !found.error;
    this.good.hidden = Boolean(found.error);
    if (found.error) {
      write(this.failure, found.error);
      return;
    }
    const { sure, near, enrol } = found;
    this.near.entitle(words(sure.strangers ? "open_near" : "open_near_mean"));
    this.sure.el.hidden = !sure.strangers;
    this.none.hidden = Boolean(sure.strangers);
    if (sure.strangers) this.sure.show(this.#spec(sure, 1 / sure.strangers.length, [0, 1], [[0, "0"], [0.5, "50 %"], [1, "100 %"]]));
    if (near.strangers) this.near.show(this.#spec(near, 180 / near.strangers.length, [0, 180], [[0, "0°"], [90, "90°"], [180, "180°"]]));
    write(this.said, sure.strangers ? words("open_sure_said", { level: percent(report.sure_level, lang, 0), strangers: percent(sure.above[1], lang), known: percent(sure.above[0], lang), median: percent(sure.median[1], lang) }) : "");
    this.title.hidden = this.guesses.hidden = !enrol?.guess;
    if (!enrol?.guess) return;
    this.guesses.replaceChildren(...enrol.guess.slice(0, SHOWN).map((/** @type {any[]} */ [who, sureOf, angle], /** @type {number} */ k) =>
      h("li", {}, picture(page, enrol.pictures[k]), h("b", { text: report.trained_names[who] }), h("span", { text: sureOf === null ? "" : words("open_guess", { sure: percent(sureOf, lang, 0) }) }), h("small", { text: degrees(angle, lang, 0) }))));
  }

  /** @param {any} shares @param {number} width @param {[number, number]} x @param {[number, string][]} ticks */
  #spec(shares, width, x, ticks) {
    const { words } = this.page;
    const highest = Math.max(...shares.known, ...shares.strangers) || 1;
    return {
      series: [
        { points: outline(shares.known, width, highest), tone: "fv-tone-mute", bars: true, label: words("open_known") },
        { points: outline(shares.strangers, width, highest), tone: "fv-tone-accent", bars: true, label: words("open_strangers") },
      ],
      x, y: /** @type {[number, number]} */ ([0, 1.05]), xTicks: ticks, yTicks: /** @type {[number, string][]} */ ([]),
    };
  }

  fit() {
    this.sure.fit();
    this.near.fit();
  }
}
