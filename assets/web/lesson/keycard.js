/** The page of keys: a dialog that `?` opens. */
import { h } from "../dom.js";

const KEYS = [["→ PageDown", "next"], ["← PageUp", "previous"], ["1 … 9", "choose"], ["Enter", "enter"], ["Space", "space"], ["R", "rewind"], ["P", "present"], ["N", "notes"], ["L", "link"], ["?", "help"]];

export class KeyCard {
  /** @param {import("../words.js").Words} words @param {boolean} room whether there is one to join */
  constructor(words, room) {
    const keys = room ? [["→ PageDown Enter", "room_next"], ...KEYS.filter(([, what]) => !["next", "choose", "enter"].includes(what)), ["J", "room"]] : KEYS;
    const rows = keys.map(([keys, what]) => h("tr", {}, h("th", { scope: "row" }, ...keys.split(" ").map((key) => (key === "…" ? " … " : h("kbd", { text: key })))), h("td", { text: words(`lesson_key_${what}`) })));
    const close = h("button", { type: "button", class: "fv-button fv-primary", onclick: () => this.dialog.close(), text: words("lesson_close") });
    this.dialog = h("dialog", { class: "fv-dialog", "aria-label": words("lesson_keys_title") }, h("h2", { text: words("lesson_keys_title") }), h("table", { class: "fv-keys" }, h("tbody", {}, ...rows)), close);
    const open = h("button", { type: "button", class: "fv-button fv-quiet", title: words("lesson_keys_title"), "aria-label": words("lesson_keys_title"), onclick: () => this.toggle(), text: "?" });
    this.el = h("div", { class: "fv-keycard" }, open, this.dialog);
  }

  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}
