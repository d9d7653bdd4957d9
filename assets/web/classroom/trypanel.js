/** Try it yourself: a form for a small run, and the run. Only what a loss has can be set. */
import { h } from "../dom.js";
import { SYMBOL } from "../controls.js";
import { RunStage } from "./runstage.js";
import { LOSSES, RANGES, classic, queryOf, wishOf } from "./tryquery.js";

const NUMBERS = ["m1", "m2", "m3", "s", "seed"];

export class TryPanel {
  /** @param {{base: string, out: () => void}} context `out`: the seat is gone */
  constructor({ base, out }) {
    this.base = base;
    this.out = out;
    this.wish = wishOf({});
    this.el = h("section", { class: "fv-root fv-try-panel" });
    this.runEl = h("div", { class: "fv-try-run" });
    this.stage = new RunStage(this.runEl);
  }

  /** What a lesson proposes. @param {Record<string, string>} query */
  propose(query) {
    this.wish = wishOf(query);
    this.look = undefined;
  }

  /** @param {any} look language and theme */
  show(look) {
    const before = this.look;
    this.look = look;
    this.el.dataset.theme = look.theme;
    if (!before || before.lang !== look.lang) this.#build();
    if (this.run) this.stage.show(this.run, look);
  }

  #build() {
    const { words } = this.look;
    this.loss = h("select", { class: "fv-menu", id: "fv-try-loss" }, ...Object.keys(LOSSES).map((name) => h("option", { value: name, text: words(`objective_${name}`) })));
    this.loss.addEventListener("change", () => this.#begin(this.loss.value, this.wish.dim));
    /** @type {Record<string, HTMLInputElement>} */
    this.fields = {};
    /** @type {Record<string, HTMLElement>} */
    this.rows = {};
    for (const name of NUMBERS) this.#number(name);
    this.dims = ["2", "3"].map((dim) => {
      const input = h("input", { type: "radio", name: "fv-try-dim", value: dim });
      input.addEventListener("change", () => this.#begin(this.wish.loss, dim));
      return input;
    });
    const dims = h("div", { class: "fv-speeds", role: "radiogroup", "aria-label": words("room_try_dim") }, ...this.dims.map((input) => h("label", {}, input, h("span", { text: words(`room_try_dim_${input.value}`) }))));
    this.more = h("p", { class: "fv-quiet-note" });
    this.said = h("div", { class: "fv-join-said", role: "alert" });
    this.button = h("button", { type: "submit", class: "fv-button fv-primary", text: words("room_try_train") });
    const form = h("form", { class: "fv-try-form", novalidate: true },
      h("label", { class: "fv-try-field fv-try-wide", for: "fv-try-loss" }, h("span", { text: words("room_try_loss") }), this.loss),
      ...["m1", "m2", "m3", "s"].map((name) => this.rows[name]),
      h("div", { class: "fv-try-field fv-try-wide" }, h("span", { text: words("room_try_dim") }), dims), this.rows.seed, this.button);
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#train();
    });
    this.el.replaceChildren(h("h1", { text: words("room_try") }), h("p", { class: "fv-lead", text: words("room_try_lead") }), form, this.more, this.said, this.runEl);
    this.#fill();
  }

  /** @param {string} name */
  #number(name) {
    const { words } = this.look;
    const [min, max] = RANGES[name];
    const label = name === "seed" ? words("room_try_seed") : `${SYMBOL[name]} · ${words(name)}`;
    const field = h("input", { type: "number", class: "fv-number", inputmode: "decimal", min, max, step: name === "seed" ? 1 : "any", "aria-label": label });
    field.addEventListener("input", () => {
      if (field.value !== "" && field.validity.valid) this.wish.values[name] = Number(field.value);
    });
    this.fields[name] = field;
    this.rows[name] = h("label", { class: "fv-try-field" }, h("span", { text: label }), field);
  }

  /** Another loss or dimension begins at its classic setting. @param {string} loss @param {string} dim */
  #begin(loss, dim) {
    const { seed } = this.wish.values;
    this.wish = { ...this.wish, loss, dim, values: { ...classic(loss, dim), seed } };
    this.#fill();
  }

  #fill() {
    const { wish, look: { words } } = this;
    this.loss.value = wish.loss;
    for (const name of NUMBERS) {
      this.fields[name].value = String(wish.values[name]);
      this.rows[name].hidden = name !== "seed" && !LOSSES[wish.loss].includes(name);
    }
    for (const input of this.dims) input.checked = input.value === wish.dim;
    const more = Object.entries(wish.more).map(([name, value]) => `${known(words, name)} ${value}`).join(", ");
    this.more.hidden = !more;
    if (!more) return;
    const drop = h("button", { type: "button", class: "fv-button fv-quiet", text: words("room_try_drop") });
    drop.addEventListener("click", () => {
      this.wish.more = {};
      this.#fill();
      this.button.focus();
    });
    this.more.replaceChildren(words("room_try_more", { what: more }), " ", drop);
  }

  /** The first field that holds no such number, in words. */
  #fault() {
    for (const name of [...LOSSES[this.wish.loss], "seed"]) {
      const field = this.fields[name];
      if (field.value !== "" && field.validity.valid) continue;
      field.focus();
      const [low, high] = RANGES[name];
      return `${field.getAttribute("aria-label")}: ${this.look.words("room_try_number", { low, high })}`;
    }
    return "";
  }

  async #train() {
    const { words } = this.look;
    const fault = this.#fault();
    this.said.textContent = fault;
    if (fault) this.said.scrollIntoView({ block: "nearest" });
    if (fault || this.button.disabled) return;
    this.button.disabled = true;
    this.button.textContent = words("room_try_asking");
    try {
      const answer = await fetch(`${this.base}/try?lang=${this.look.lang}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ query: queryOf(this.wish) }) });
      await this.#answered(answer);
    } catch {
      this.said.textContent = words("room_try_failed");
    }
    this.button.disabled = false;
    this.button.textContent = this.look.words("room_try_train");
  }

  /** @param {Response} answer */
  async #answered(answer) {
    const { words } = this.look;
    if (answer.status === 401) {
      this.out();
      return;
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const known = { 503: "room_try_full", 429: "room_try_quick" }[answer.status];
      this.said.textContent = known ? words(known) : (told.error ?? words("room_try_failed"));
      return;
    }
    this.run = told;
    this.said.replaceChildren(...(told.ignored ?? []).map((/** @type {string} */ text) => h("p", { text })));
    this.stage.show(told, this.look);
    this.runEl.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  /** Off the screen: the run's socket is closed, so that it need not go on for nobody. */
  leave() {
    this.stage.clear();
  }
}

/** A link's parameter in words, or as it is. @param {import("../words.js").Words} words @param {string} name */
function known(words, name) {
  const key = `room_try_field_${name}`;
  const text = words(key);
  return text === key ? name : text;
}
