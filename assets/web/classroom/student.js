/**
 * A student's page: join, then see what the lecturer shows, or look around. It speaks to the
 * students' server alone and keeps what is on screen while the line is down.
 */
import { h } from "../dom.js";
import { wordsFrom } from "../words.js";
import { loadPlotly } from "../plotly.js";
import { JoinPanel, waitingPlace } from "./joinpanel.js";
import { LessonStage } from "./lessonstage.js";
import { RunStage } from "./runstage.js";
import { Seat } from "./seat.js";
import { recall, remember } from "./storage.js";
import { TopBar } from "./topbar.js";
import { TryPanel } from "./trypanel.js";
import { Where } from "./where.js";

const BASE = "/facevis";
const LANGUAGE = "facevis-language";

class Student {
  /** @param {HTMLElement} root @param {Record<string, Record<string, string>>} strings by language */
  constructor(root, strings) {
    this.strings = strings;
    const wished = recall(LANGUAGE) ?? navigator.language.slice(0, 2);
    this.lang = Object.hasOwn(strings, wished) ? wished : "en";
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", () => this.show());
    window.addEventListener("hashchange", () => this.place === "door" && this.begin());
    /** @type {"door"|"line"|"inside"} */
    this.place = "door";
    this.where = new Where();
    this.lost = false;
    /** @type {string|undefined} what kind of thing is on screen */
    this.kind = undefined;
    this.bar = new TopBar({
      follow: () => this.go(() => this.where.follow()),
      roam: () => this.go(() => this.where.leave(this.seat.scene)),
      go: (place) => this.go(() => this.where.go(place)),
      speak: (lang) => this.speak(lang),
    });
    this.main = h("main");
    root.replaceChildren(this.bar.el, this.bar.line, this.main);
    this.lesson = new LessonStage(this.main, BASE, {
      cast: (lesson, choice) => this.seat.cast(lesson, choice),
      go: (number) => this.go(() => this.where.go({ kind: "lesson", number })),
      train: (query) => this.train(query),
      told: () => this.showBar(),
    });
    this.runTitle = h("h1");
    const runPlace = h("div");
    this.runEl = h("div", { class: "fv-root fv-room-run" }, this.runTitle, runPlace);
    this.run = new RunStage(runPlace);
    this.own = new TryPanel({ base: BASE, out: () => this.out() });
  }

  get look() {
    const { lang } = this;
    return { base: BASE, lang, theme: this.dark.matches ? "dark" : "light", strings: this.strings[lang], words: wordsFrom(this.strings[lang], lang) };
  }

  // -- the door -------------------------------------------------------------------------------

  async begin() {
    const code = decodeURIComponent(location.hash.slice(1));
    if (code) history.replaceState(null, "", location.pathname);
    this.show();
    if (code) await this.join(code);
    else if (await seated()) this.sit();
    else this.door("");
  }

  /** @param {string} code */
  async join(code) {
    this.door("");
    this.joinPanel.field.value = code;
    this.joinPanel.busy(true);
    const trouble = await enter(code);
    this.joinPanel.busy(false);
    if (!trouble) this.sit();
    else this.door(trouble);
  }

  /** @param {string} trouble what is in the way, by its key */
  door(trouble) {
    this.place = "door";
    this.trouble = trouble;
    this.show();
    this.joinPanel.focus();
  }

  /** The seat is gone: join again. */
  out() {
    this.seat?.close();
    this.seat = undefined;
    this.lost = false;
    this.door("");
  }

  sit() {
    this.seat?.close();
    this.seat = new Seat(BASE, {
      changed: () => {
        this.place = "inside";
        this.lost = false;
        this.show();
      },
      full: (position, limit) => {
        this.place = "line";
        this.lost = false;
        this.full = { position, limit };
        this.show();
      },
      lost: () => {
        // Who waits in a line that is full is sent away between two tries.
        this.lost = this.place !== "line";
        this.show();
      },
      out: () => this.out(),
    });
    loadPlotly(BASE).catch(() => {}); // who draws says what is wrong
  }

  // -- wishes ---------------------------------------------------------------------------------

  /** @param {() => void} change */
  go(change) {
    change();
    this.show();
    window.scrollTo(0, 0);
  }

  /** @param {Record<string, string>} query */
  train(query) {
    this.own.propose(query);
    this.go(() => this.where.go({ kind: "try" }));
  }

  /** @param {string} lang */
  speak(lang) {
    this.lang = lang;
    remember(LANGUAGE, lang);
    this.joinPanel = undefined;
    this.show();
  }

  // -- what is on screen ----------------------------------------------------------------------

  show() {
    const { look } = this;
    document.documentElement.lang = this.lang;
    document.body.dataset.theme = look.theme;
    this.showBar();
    const kind = this.place === "inside" ? this.where.shown(this.seat.scene).kind : this.place;
    if (kind !== this.kind) this.leave();
    this.kind = kind;
    const shown = this.where.shown(this.seat?.scene ?? { kind: "none" });
    if (kind === "lesson") this.lesson.show(shown, look, this.where.follows, this.seat);
    else if (kind === "run") {
      this.put(this.themed(this.runEl, look.theme));
      this.runTitle.textContent = look.words("room_run_title");
      this.run.show(/** @type {any} */ (shown), look);
    } else if (kind === "try") {
      this.put(this.own.el);
      this.own.show(look);
    } else this.put(this.plainPlace(look));
  }

  /** The door, the line, or nothing yet. @param {any} look */
  plainPlace({ words, theme }) {
    if (this.place === "door") {
      this.joinPanel ??= new JoinPanel(words, (code) => this.join(code));
      this.joinPanel.say(this.trouble ?? "");
      return this.themed(this.joinPanel.el, theme);
    }
    if (this.place === "line") {
      const { position, limit } = this.full;
      return this.themed(waitingPlace(words("room_full"), words(position === null ? "room_full_line" : "room_full_position", { position, limit })), theme);
    }
    return this.themed(waitingPlace(words("room_none"), words("room_none_lead")), theme);
  }

  /** @param {HTMLElement} el @param {string} theme */
  themed(el, theme) {
    el.classList.add("fv-root");
    el.dataset.theme = theme;
    return el;
  }

  /** @param {HTMLElement} el */
  put(el) {
    if (this.main.children.length === 1 && this.main.firstChild === el) return;
    this.main.replaceChildren(el);
  }

  /** What was on screen goes; what was done there stays known. */
  leave() {
    if (this.kind === "lesson") this.lesson.leave();
    else if (this.kind === "run") this.run.clear();
    else if (this.kind === "try") this.own.leave();
    this.main.replaceChildren();
  }

  showBar() {
    const { look, where } = this;
    const scene = this.seat?.scene ?? { kind: "none" };
    this.bar.show(look.words, {
      ...look, inside: this.place === "inside", follows: where.follows, shown: where.shown(scene),
      titles: this.lesson.titles(this.lang), elsewhere: this.elsewhere(scene, look.words), lost: this.lost,
    });
  }

  /** What the lecturer shows, in words. @param {any} scene @param {import("../words.js").Words} words */
  elsewhere(scene, words) {
    if (scene.kind === "lesson") return `${scene.number} · ${this.lesson.titles(this.lang)[scene.number - 1] ?? "…"}`;
    return words(scene.kind === "run" ? "room_shows_run" : "room_shows_none");
  }
}

/** Whether this browser has joined. */
async function seated() {
  try {
    return (await fetch(`${BASE}/joined`)).status === 204;
  } catch {
    return false;
  }
}

/** @param {string} code @returns {Promise<string>} what is in the way, by its key */
async function enter(code) {
  try {
    const answer = await fetch(`${BASE}/join`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code }) });
    if (answer.status === 204) return "";
    return answer.status === 429 ? "room_join_slow" : answer.status === 403 ? "room_join_wrong" : "room_join_unreached";
  } catch {
    return "room_join_unreached";
  }
}

new Student(document.getElementById("room"), JSON.parse(document.getElementById("words").textContent)).begin();
