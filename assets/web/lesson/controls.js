/**
 * A lesson's few controls: ranges and choices, described by the page's data. Locked until the
 * question is answered. Reports names and values; knows no figure.
 *
 * @typedef {Object} Control
 * @property {string} name
 * @property {"range"|"choice"} kind
 * @property {number} [low] @property {number} [high] @property {number} [step]
 * @property {string[]} [options]
 * @property {number|string} value
 * @property {string} [scene]        only in this scene
 * @property {boolean} [power]       the value is a power of ten
 */
import { h, write } from "../dom.js";
import { decimal } from "../words.js";

/** Letters with which a choice still stands beside another control. */
const SHORT = 24;

export class LessonControls {
  /**
   * @param {Control[]} controls @param {Record<string, number|string>} values
   * @param {{words: import("../words.js").Words, lang: string}} speech
   * @param {(name: string, value: number|string) => void} changed
   */
  constructor(controls, values, { words, lang }, changed) {
    this.controls = controls;
    this.words = words;
    this.lang = lang;
    this.changed = changed;
    this.values = { ...values };
    /** @type {Record<string, {el: HTMLElement, renew: () => void, inputs: HTMLInputElement[]}>} */
    this.parts = {};
    for (const control of controls) this.parts[control.name] = control.kind === "range" ? this.#range(control) : this.#choice(control);
    this.el = h("section", { class: "fv-controls", "aria-label": words("lesson_controls") }, ...Object.values(this.parts).map(({ el }) => el));
    this.refresh();
  }

  /** @param {Control} control */
  #range(control) {
    const { name, low, high, step } = control;
    const label = this.words(`lesson_control_${name}`);
    const input = h("input", { type: "range", class: "fv-range", min: low, max: high, step, "aria-label": label });
    const value = h("output", { class: "fv-control-value" });
    input.addEventListener("input", () => this.#take(name, Number(input.value)));
    const renew = () => {
      const at = Number(this.values[name]);
      input.value = String(at);
      input.style.setProperty("--fv-fill", `${((at - low) / (high - low)) * 100}%`);
      write(value, this.text(control, at));
      input.setAttribute("aria-valuetext", value.textContent);
    };
    const el = h("div", { class: "fv-control fv-slider" }, h("span", { class: "fv-control-name", text: label }), value, input);
    return { el, renew, inputs: [input] };
  }

  /** @param {Control} control */
  #choice({ name, options }) {
    const group = `fv-${name}-${Math.random().toString(36).slice(2)}`;
    const inputs = options.map((option) => {
      const input = h("input", { type: "radio", name: group, value: option });
      input.addEventListener("change", () => this.#take(name, option));
      return input;
    });
    const labels = options.map((option, i) => h("label", {}, inputs[i], h("span", { text: this.#option(name, option) })));
    const label = this.words(`lesson_control_${name}`);
    const box = h("div", { class: "fv-speeds", role: "radiogroup", "aria-label": label }, ...labels);
    const renew = () => inputs.forEach((input) => (input.checked = input.value === String(this.values[name])));
    const short = label.length + labels.reduce((sum, { textContent: text }) => sum + text.length + 2, 0) <= SHORT;
    const el = h("div", { class: `fv-control fv-choice${short ? " fv-short" : ""}` }, h("span", { class: "fv-control-name", text: label }), box);
    return { el, renew, inputs };
  }

  /** A number speaks for itself. @param {string} name @param {string} option */
  #option(name, option) {
    if (!/^[\d.]+$/.test(option)) return this.words(`lesson_choice_${name}_${option.replaceAll("-", "_")}`);
    return decimal(Number(option), this.lang, option.includes(".") ? option.split(".")[1].length : 0);
  }

  /** @param {Control} control @param {number} at */
  text({ name, step, power }, at) {
    if (power) return new Intl.NumberFormat(this.lang, { maximumSignificantDigits: 2 }).format(10 ** at);
    const digits = String(step).includes(".") ? String(step).split(".")[1].length : 0;
    if (name === "first") return this.words("lesson_three", { first: at + 1, second: at + 2, third: at + 3 });
    const text = decimal(at, this.lang, digits);
    return name === "theta" ? `${text}°` : text;
  }

  /** @param {string} name @param {number|string} value */
  #take(name, value) {
    this.values[name] = value;
    this.refresh();
    this.changed(name, value);
  }

  /** From elsewhere: a drag in the figure, a key. @param {string} name @param {number|string} value */
  set(name, value) {
    const control = this.controls.find((one) => one.name === name);
    if (!control) return;
    const { kind, low, high, step } = control;
    this.values[name] = kind === "range" ? Math.min(high, Math.max(low, Number((Math.round(Number(value) / step) * step).toFixed(6)))) : value;
    this.refresh();
  }

  /** The n-th option of the first choice: keys 1 to 9. @param {number} index @returns {boolean} */
  choose(index) {
    const control = this.controls.find((one) => one.kind === "choice" && this.#visible(one));
    const option = control?.options[index];
    if (option === undefined) return false;
    this.#take(control.name, option);
    return true;
  }

  /** @param {Control} control */
  #visible({ scene }) {
    return !scene || scene === this.values.scene;
  }

  refresh() {
    for (const control of this.controls) {
      const { el, renew } = this.parts[control.name];
      el.hidden = !this.#visible(control);
      renew();
    }
  }

  /** @param {boolean} locked */
  lock(locked) {
    this.el.dataset.locked = String(locked);
    for (const { inputs } of Object.values(this.parts)) for (const input of inputs) input.disabled = locked;
  }
}
