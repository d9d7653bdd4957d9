/** The door: a code, or what is in the way. Reports a code; knows no server. */
import { h } from "../dom.js";

const LENGTH = 12;

export class JoinPanel {
  /** @param {import("../words.js").Words} words @param {(code: string) => void} join */
  constructor(words, join) {
    this.words = words;
    this.field = h("input", {
      class: "fv-code-field", type: "text", name: "code", required: true, maxlength: LENGTH, autocomplete: "off", autocapitalize: "characters",
      autocorrect: "off", spellcheck: "false", enterkeyhint: "go", "aria-label": words("room_code"), "aria-describedby": "fv-join-said",
    });
    this.field.addEventListener("input", () => this.say(""));
    this.button = h("button", { type: "submit", class: "fv-button fv-primary", text: words("room_join") });
    this.said = h("p", { id: "fv-join-said", class: "fv-join-said", role: "alert" });
    const form = h("form", { class: "fv-join-form" }, this.field, this.button);
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const code = this.field.value.replace(/\s/g, "").toUpperCase();
      if (code) join(code);
    });
    this.el = h("section", { class: "fv-door" }, h("h1", { text: words("room_join_title") }), h("p", { text: words("room_join_lead") }), form, this.said,
      h("p", { class: "fv-quiet-note", text: words("room_private") }));
  }

  /** @param {boolean} on */
  busy(on) {
    this.button.disabled = on;
    this.button.textContent = this.words(on ? "room_joining" : "room_join");
  }

  /** What is in the way, by its key. @param {string} key */
  say(key) {
    this.said.textContent = key ? this.words(key) : "";
    this.field.setAttribute("aria-invalid", String(key === "room_join_wrong"));
  }

  focus() {
    this.field.focus();
  }
}

/** A place where nothing is to be done but wait. @param {string} title @param {string} text */
export function waitingPlace(title, text) {
  return h("section", { class: "fv-door", role: "status" }, h("h1", { text: title }), h("p", { text }));
}
