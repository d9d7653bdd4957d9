/**
 * The margin sliders: a range and a number field for each, kept in step. Reports every movement
 * at once and the release apart.
 */
import { h } from "./dom.js";
import { clamp } from "./formula.js";

/** @type {Record<string, string>} */
export const SYMBOL = { m1: "m₁", m2: "m₂", m3: "m₃", s: "s" };

export class Sliders {
  /**
   * @param {string[]} names which of m1, m2, m3, s
   * @param {Record<string, [number, number, number]>} ranges low, high, step
   * @param {import("./words.js").Words} words
   * @param {{input: (stamp: number) => void, release: () => void}} acts
   */
  constructor(names, ranges, words, acts) {
    this.ranges = ranges;
    this.acts = acts;
    /** @type {Record<string, number>} */
    this.current = { m1: 1, m2: 0, m3: 0, s: 1 };
    /** @type {Record<string, {range: HTMLInputElement, number: HTMLInputElement, extra: HTMLElement}>} */
    this.fields = {};
    const rows = names.map((name) => this.#row(name, words));
    this.el = h("div", { class: "fv-sliders" }, ...rows);
  }

  /** @param {string} name @param {import("./words.js").Words} words */
  #row(name, words) {
    const [min, max, step] = this.ranges[name];
    const label = `${SYMBOL[name]} ${words(name)} (${words(`${name}_by`)})`;
    const range = h("input", { type: "range", min, max, step, "aria-label": label, class: "fv-range" });
    const number = h("input", {
      type: "number", min, max, step, class: "fv-number", inputmode: "decimal",
      "aria-label": words("number_of", { name: label }),
    });
    const extra = h("span", { class: "fv-extra" });
    this.fields[name] = { range, number, extra };
    range.addEventListener("input", (/** @type {Event} */ e) => this.#moved(name, Number(range.value), e, number));
    range.addEventListener("change", () => this.acts.release());
    number.addEventListener("input", (/** @type {Event} */ e) => {
      if (number.value !== "" && number.validity.valid) this.#moved(name, Number(number.value), e, range);
    });
    number.addEventListener("change", (/** @type {Event} */ e) => {
      // What lies outside becomes the nearest that is allowed, and shows it.
      if (number.value !== "" && !number.validity.valid) this.#moved(name, Number(number.value), e, range);
      this.#show(name);
      this.acts.release();
    });
    const title = h("span", { class: "fv-slider-name" },
      h("i", { text: SYMBOL[name] }), h("span", { text: words(name) }),
      h("small", { text: words(`${name}_by`) }));
    return h("div", { class: "fv-slider", "data-name": name }, title, extra, number, range);
  }

  /** @param {string} name @param {number} value @param {Event} event @param {HTMLInputElement} other */
  #moved(name, value, event, other) {
    const [low, high] = this.ranges[name];
    if (!Number.isFinite(value)) return;
    this.current[name] = clamp(value, low, high);
    other.value = this.#text(name);
    this.#decorate(name);
    this.acts.input(event.timeStamp);
  }

  /** @param {string} name */
  #text(name) {
    const step = String(this.ranges[name][2]);
    const digits = step.includes(".") ? step.split(".")[1].length : 0;
    return this.current[name].toFixed(digits);
  }

  /** @param {string} name */
  #show(name) {
    const field = this.fields[name];
    if (!field) return;
    field.range.value = String(this.current[name]);
    field.number.value = this.#text(name);
    this.#decorate(name);
  }

  /** @param {string} name */
  #decorate(name) {
    const { range, extra } = this.fields[name];
    const [low, high] = this.ranges[name];
    range.style.setProperty("--fv-fill", `${((this.current[name] - low) / (high - low)) * 100}%`);
    if (name === "m2") extra.textContent = `${((this.current.m2 * 180) / Math.PI).toFixed(0)}°`;
  }

  /** @param {Record<string, number>} values */
  set(values) {
    Object.assign(this.current, values);
    for (const name of Object.keys(this.fields)) this.#show(name);
  }
}
