/** A lesson on a student's page: its bundle, the room's vote on it, and what was done there before. */
import { LessonPage } from "../lesson/page.js";
import { fetchTape } from "../lesson/tapes.js";
import { loadPlotly } from "../plotly.js";
import { h } from "../dom.js";
import { Ballot } from "./ballot.js";
import { Lessons } from "./lessons.js";
import { studentsVote } from "./phases.js";
import { votesOn } from "./where.js";

/** After a failure the bundle is asked for again, ms. */
const AGAIN = 1500;

export class LessonStage {
  /**
   * @param {HTMLElement} parent @param {string} base
   * @param {{cast: (lesson: number, choice: number) => void, go: (number: number) => void, train: (query: Record<string, string>) => void, told: () => void}} acts
   */
  constructor(parent, base, acts) {
    this.parent = parent;
    this.base = base;
    this.acts = acts;
    this.lessons = new Lessons(base);
    /** @type {Record<string, string[]>} the lessons' titles, by language */
    this.named = {};
    /** @type {Record<string, any>} what was answered and set, by lesson */
    this.memory = {};
    /** @type {string|undefined} which lesson is wanted, and which is on its way */
    this.key = this.asking = undefined;
    this.el = h("div", { id: "lesson" });
    this.said = h("p", { class: "fv-room-said", role: "status" });
  }

  /** @param {string} lang @returns {string[]} as far as they are known */
  titles(lang) {
    return this.named[lang] ?? [];
  }

  /**
   * @param {any} place the lesson @param {any} look @param {boolean} follows
   * @param {import("./seat.js").Seat} seat
   */
  show(place, look, follows, seat) {
    this.now = { place, look, follows, seat };
    const key = [place.number, look.lang, place.run?.token ?? ""].join(" ");
    if (!this.parent.contains(this.el)) this.parent.replaceChildren(this.said, this.el);
    if (key !== this.key) {
      this.key = key;
      this.told = undefined;
      this.#fetch();
    } else if (this.told && this.#stale()) this.#fetch();
    if (this.told) this.#draw();
    else this.#say(this.asking ? "room_loading" : "room_no_lesson");
  }

  /** Whether the answer was withheld and need not be any more, or is there while the room votes again. */
  #stale() {
    const { place, follows, seat } = this.now;
    const asked = Boolean(votesOn(place, seat.scene, seat.poll)) && seat.poll.phase !== "revealed";
    return this.told.withheld ? !asked : asked && follows;
  }

  async #fetch() {
    const { key, now: { place, look } } = this;
    if (this.asking === key) return;
    this.asking = key;
    clearTimeout(this.timer);
    let told;
    try {
      told = await this.lessons.get(place.number, look.lang, place.run?.token, this.told !== undefined);
    } catch (error) {
      console.warn(error);
    }
    if (this.asking === key) this.asking = undefined;
    if (key !== this.key) return; // the lecturer has gone on
    if (told) {
      this.told = told;
      this.named[told.lang] = told.titles;
      this.#draw();
      this.acts.told();
    } else if (!this.told) this.#say("room_no_lesson");
    if (!told || this.#stale()) this.timer = setTimeout(() => this.#fetch(), AGAIN);
  }

  #draw() {
    const { told, now: { look, follows } } = this;
    const { lang, theme } = look;
    this.#say("");
    // Most of what the room tells is the vote alone.
    const drawn = this.page?.data;
    if (drawn && this.drawn === told && drawn.lang === lang && drawn.theme === theme && drawn.alone === follows) {
      this.page.vote(this.#vote());
      return;
    }
    this.drawn = told;
    if (!this.page) {
      this.page = new LessonPage(this.el, this.#host());
      this.page.memory = this.memory;
    }
    this.page.update({
      ...told, strings: look.strings, view: "normal", theme, base: this.base, app: null, hasNotes: false,
      alone: follows, hidden: ["bar"], revealed: false, start: {}, opening: 0, poll: this.#vote(),
    });
  }

  /** The room's vote on this lesson, if it has one. */
  #vote() {
    const { told, memory, now: { place, follows, seat } } = this;
    if (!votesOn(place, seat.scene, seat.poll)) return null;
    // Who has opened a lesson alone and stays there is not asked anew.
    if (!follows && memory[place.number]?.phase === "open" && seat.poll.phase !== "revealed") return null;
    return studentsVote(seat.poll, seat.vote?.lesson === place.number ? seat.vote : null, told.withheld === true);
  }

  /** @returns {import("../lesson/page.js").Host} */
  #host() {
    return {
      Question: Ballot,
      cast: (choice) => this.acts.cast(this.page.data.number, choice),
      go: this.acts.go,
      train: this.acts.train,
      present() {},
      link: () => location.href,
      notes: () => "",
      tape: (name) => fetchTape(this.base, name),
      loadPlotly,
    };
  }

  /** @param {string} key */
  #say(key) {
    this.said.textContent = key ? this.now.look.words(key) : "";
    this.said.hidden = !key;
  }

  leave() {
    clearTimeout(this.timer);
    this.page?.dispose();
    this.page = this.key = this.told = undefined;
  }
}
