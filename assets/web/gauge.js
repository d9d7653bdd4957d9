/**
 * The feasibility gauge: how much of the room between the prototypes the margin asks for, and in
 * plain words whether it can be kept.
 *
 * @typedef {import("./formula.js").Margin} Margin
 */
import { h } from "./dom.js";
import { admissibleRadius, feasible, largestM2, largestM3, shareUsed } from "./formula.js";
import { SYMBOL } from "./controls.js";
import { decimal } from "./words.js";

export class Gauge {
  /** @param {import("./words.js").Words} words @param {string} lang */
  constructor(words, lang) {
    this.words = words;
    this.lang = lang;
    this.fill = h("div", { class: "fv-gauge-fill" });
    this.text = h("p", { "aria-live": "polite" });
    this.meter = h("div", { class: "fv-gauge-bar", role: "meter", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": words("gauge_title") }, this.fill);
    const head = h("div", { class: "fv-gauge-head" }, h("span", { text: words("gauge_title") }), (this.percent = h("b")));
    this.el = h("div", { class: "fv-gauge" }, head, this.meter, this.text);
  }

  /** @param {Margin} margin @param {any} run packing angle (radians), whether it is the best possible, classes, dimension */
  show(margin, { packing_angle: packing, packing_exact: exact, class_names: { length: classes }, dim }) {
    const used = shareUsed(margin, packing);
    const fits = feasible(margin, packing);
    const percent = Math.round(Math.min(9.99, used) * 100);
    this.el.dataset.fits = String(fits);
    this.fill.style.transform = `scaleX(${Math.min(1, used)})`;
    this.percent.textContent = `${percent} %`;
    this.meter.setAttribute("aria-valuenow", String(Math.min(100, percent)));
    const text = fits ? this.#room(margin, packing) : this.#refusal(margin, packing, classes, dim, exact);
    if (this.text.textContent !== text) this.text.textContent = text;
  }

  /** @param {Margin} margin @param {number} packing */
  #room(margin, packing) {
    const degrees = (admissibleRadius(margin, packing) * 180) / Math.PI;
    const rho = decimal(degrees, this.lang, 1);
    if (margin.m1 === 1 && !margin.m2 && !margin.m3) return this.words("gauge_free", { rho });
    return this.words(degrees < 2 ? "gauge_tight" : "gauge_fits", { rho });
  }

  /** @param {Margin} margin @param {number} packing @param {number} classes @param {number} dim @param {boolean} exact */
  #refusal(margin, packing, classes, dim, exact) {
    const bound = this.#bound(margin, packing);
    const text = this.words(exact ? "gauge_infeasible" : "gauge_unsure", { classes: this.#count(classes), place: this.words(`place_${dim}`), bound });
    return text.charAt(0).toUpperCase() + text.slice(1);
  }

  /** The largest value of the margin that asks for most. @param {Margin} margin @param {number} packing */
  #bound(margin, packing) {
    const m3 = largestM3(margin.m2, packing);
    const m2 = largestM2(margin.m3, packing);
    const cosineAsksMore = margin.m3 >= 1 - Math.cos(margin.m2);
    const number = (/** @type {number} */ value) => decimal(value, this.lang, 3);
    if (cosineAsksMore && m3 >= 0) return this.words("gauge_at_most", { name: SYMBOL.m3, value: number(m3) });
    if (m2 >= 0) return this.words("gauge_at_most", { name: SYMBOL.m2, value: number(m2) });
    if (m3 >= 0) return this.words("gauge_at_most", { name: SYMBOL.m3, value: number(m3) });
    // Lowering one is not enough while the other stands.
    return this.words("gauge_either", { m2: number(largestM2(0, packing)), m3: number(largestM3(0, packing)) });
  }

  /** Small numbers in words. @param {number} n */
  #count(n) {
    const words = this.words("numbers").split(" ");
    const text = this.words("classes", { n });
    return n >= 2 && n - 2 < words.length ? text.replace(String(n), words[n - 2]) : text;
  }
}
