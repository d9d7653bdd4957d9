/** The slim line on top of a student's page: follow or look around, where to, and the language. Reports wishes. */
import { h, write } from "../dom.js";

export class TopBar {
  /** @param {{follow: () => void, roam: () => void, go: (place: import("./where.js").Place) => void, speak: (lang: string) => void}} acts */
  constructor(acts) {
    this.acts = acts;
    /** @type {string|undefined} */
    this.listed = undefined;
    this.follow = h("button", { type: "button", class: "fv-way", onclick: () => acts.follow() });
    this.roam = h("button", { type: "button", class: "fv-way", onclick: () => acts.roam() });
    this.ways = h("div", { class: "fv-way-switch", role: "group" }, this.follow, this.roam);
    this.menu = h("select", { class: "fv-menu" });
    this.menu.addEventListener("change", () => acts.go(this.menu.value === "try" ? { kind: "try" } : { kind: "lesson", number: Number(this.menu.value) }));
    this.language = h("button", { type: "button", class: "fv-button fv-quiet fv-language", onclick: () => acts.speak(this.other) });
    this.el = h("header", { class: "fv-root fv-room-bar" }, this.ways, this.menu, this.language);
    this.lost = h("p", { class: "fv-room-lost", role: "status" });
    this.shows = h("p", { role: "status" });
    this.back = h("button", { type: "button", class: "fv-button", onclick: () => acts.follow() });
    this.away = h("div", { class: "fv-room-away" }, this.shows, this.back);
    this.line = h("div", { class: "fv-root fv-room-line" }, this.lost, this.away);
  }

  /**
   * @param {import("../words.js").Words} words
   * @param {{lang: string, theme: string, inside: boolean, follows: boolean, shown: any, titles: string[], elsewhere: string, lost: boolean}} state
   */
  show(words, { lang, theme, inside, follows, shown, titles, elsewhere, lost }) {
    this.other = lang === "ru" ? "en" : "ru";
    for (const el of [this.el, this.line]) el.dataset.theme = theme;
    this.ways.hidden = !inside;
    this.ways.setAttribute("aria-label", words("room_way"));
    this.menu.hidden = !inside || follows;
    this.menu.setAttribute("aria-label", words("room_menu"));
    write(this.follow, words("room_follow"));
    write(this.roam, words("room_roam"));
    this.follow.title = words("room_follow_title");
    this.roam.title = words("room_roam_title");
    this.follow.setAttribute("aria-pressed", String(follows));
    this.roam.setAttribute("aria-pressed", String(!follows));
    write(this.language, this.other.toUpperCase());
    this.language.lang = this.other;
    this.language.setAttribute("aria-label", `${this.other.toUpperCase()} · ${this.other === "ru" ? "Русский" : "English"}`);
    this.#list(titles, words("room_try"));
    this.menu.value = shown.kind === "try" ? "try" : String(shown.number ?? "");
    this.away.hidden = !inside || follows;
    write(this.shows, words("room_shows", { what: elsewhere }));
    write(this.back, words("room_go_there"));
    write(this.lost, lost ? words("room_lost") : "");
    this.lost.hidden = !lost;
    this.line.hidden = !lost && this.away.hidden;
  }

  /** @param {string[]} titles @param {string} own */
  #list(titles, own) {
    const key = [...titles, own].join("\n");
    if (key === this.listed) return;
    this.listed = key;
    this.menu.replaceChildren(...titles.map((title, i) => h("option", { value: i + 1, text: `${i + 1} · ${title}` })), h("option", { value: "try", text: own }));
  }
}
