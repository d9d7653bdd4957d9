/** The line above a lesson: which one, and where else to go. Reports wishes. */
import { h, svg } from "../dom.js";
import { Share } from "../share.js";
import { KeyCard } from "./keycard.js";

/** @type {Record<string, string>} paths in a 16×16 box */
const ICONS = {
  previous: "M10.5 2.5 5 8l5.5 5.5 1.4-1.4L7.8 8l4.1-4.1z",
  next: "M5.5 2.5 11 8l-5.5 5.5-1.4-1.4L8.2 8 4.1 3.9z",
  present: "M1.5 2.5h13v9h-5.5v1.5h2v1h-6v-1h2v-1.5h-5.5zM3 4v6h10V4z",
  notes: "M3 1.5h7l3 3v10H3zM4.5 3v10h7V5.2H9.3V3zM6 7h4v1H6zM6 9.5h4v1H6z",
};

export class Bar {
  /**
   * @param {import("../words.js").Words} words
   * @param {{go: (n: number) => void, present: (on: boolean) => void, notes: () => void, link: () => string, qr?: (text: string) => string, room?: {el: HTMLElement}}} acts
   */
  constructor(words, acts) {
    this.words = words;
    this.acts = acts;
    this.previous = this.#button("previous", () => acts.go(this.number - 1));
    this.next = this.#button("next", () => acts.go(this.number + 1));
    this.menu = h("select", { class: "fv-menu", "aria-label": words("lesson_menu") });
    this.menu.addEventListener("change", () => acts.go(Number(this.menu.value)));
    this.present = this.#button("present", () => acts.present(this.view !== "present"));
    this.notes = this.#button("notes", acts.notes);
    this.share = new Share(words, { link: acts.link, qr: acts.qr });
    this.keys = new KeyCard(words, Boolean(acts.room));
    this.ways = h("div", { class: "fv-ways" }, this.previous, this.menu, this.next);
    const tools = h("div", { class: "fv-ways" }, this.present, this.notes, this.share.el, acts.room?.el ?? "", this.keys.el);
    this.el = h("nav", { class: "fv-lesson-bar", "aria-label": words("lesson_nav") }, this.ways, tools);
  }

  /** @param {string} key @param {() => void} act */
  #button(key, act) {
    const icon = svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: ICONS[key] }));
    const text = this.words(`lesson_${key}`);
    return h("button", { type: "button", class: "fv-button fv-quiet", title: this.words(`lesson_${key}_title`), onclick: act }, icon, h("span", { text }));
  }

  /** @param {any} data */
  show({ number, count, titles, view, hasNotes, app, alone }) {
    this.number = number;
    this.view = view;
    this.previous.disabled = number <= 1;
    this.next.disabled = number >= count;
    this.menu.replaceChildren(...titles.map((/** @type {string} */ title, /** @type {number} */ i) => h("option", { value: i + 1, selected: i + 1 === number, text: `${i + 1} · ${title}` })));
    this.ways.hidden = alone === true;
    this.notes.hidden = !hasNotes;
    this.share.el.hidden = app === null;
    this.present.setAttribute("aria-pressed", String(view === "present"));
  }
}
