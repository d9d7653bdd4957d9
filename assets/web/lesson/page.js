/**
 * One lesson on screen: words, question, controls and the figure. Predict, lock, reveal: the
 * controls open when the answer does. It knows neither Streamlit nor files: its host hands in the
 * lesson's data and takes wishes.
 *
 * @typedef {Object} Host
 * @property {(number: number) => void} go         show another lesson
 * @property {(on: boolean) => void} present       presenter view on or off
 * @property {(query: Record<string, string>) => string} link  the address of a state; "" if there is none
 * @property {(number: number) => string} notes    the address of a lesson's speaker notes
 * @property {(name: string) => Promise<Uint8Array>} tape  a tape's bytes
 * @property {(base: string) => Promise<void>} loadPlotly
 * @property {((text: string) => string)} [qr]     the address of a QR code's picture
 * @property {typeof Question} [Question]           how a classroom asks
 * @property {(choice: number) => void} [cast]      a vote, where the room votes
 * @property {() => boolean} [advance]              the next step of the room's vote; false if it cannot be taken
 * @property {() => void} [again]                   empty the ballot box
 * @property {{el: HTMLElement, open: boolean, toggle: () => void}} [room]  the way into the room
 * @property {(query: Record<string, string>) => void} [train]  train a run like the lesson's, where there is no playground
 *
 * @typedef {Object} Context  what a figure may use
 * @property {import("../words.js").Words} words
 * @property {string} lang
 * @property {any} facts                            numbers computed for this lesson
 * @property {boolean} still                        reduced motion
 * @property {(name: string, value: number|string) => void} change
 * @property {{token: string, name: string}|null} run  what stands in for the lesson's recording
 * @property {(name: string) => Promise<import("../tape.js").Tape>} tape
 * @property {() => any} view                       what a live view is told of language and look
 * @property {(still: boolean) => number} room      how high a picture may be
 * @property {() => boolean} revealed
 * @property {{step?: number, camera?: string}} start  where a link begins
 * @property {(base: string) => Promise<void>} loadPlotly
 */
import { h } from "../dom.js";
import { wordsFrom } from "../words.js";
import { LessonControls } from "./controls.js";
import { FIGURES } from "./figures.js";
import { Question } from "./question.js";
import { Bar } from "./bar.js";
import { Fitting } from "./fitting.js";
import { listenToLecture } from "./lecturekeys.js";
import { queryOf } from "./linking.js";
import { Reading } from "./reading.js";
import { Tapes } from "./tapes.js";
import { html } from "./texts.js";

export class LessonPage {
  /** @param {HTMLElement} parent @param {Host} host */
  constructor(parent, host) {
    this.parent = parent;
    this.host = host;
    this.root = h("div", { class: "fv-root fv-lesson" });
    parent.append(this.root);
    /** @type {Record<string, {phase: "ask"|"locked"|"open", choice: number|null, values: Record<string, any>}>} what was answered, by lesson */
    this.memory = {};
    this.tapes = new Tapes(host.tape, (missing) => this.#say(missing ? this.words("lesson_no_recording") : ""));
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    /** @type {import("../classroom/phases.js").Vote|null} the room's vote on this lesson: it decides the phase */
    this.poll = null;
    this.stopKeys = listenToLecture(this);
    this.fitting = new Fitting(this);
  }

  /** @param {any} data */
  update(data) {
    const before = this.data;
    this.data = data;
    this.root.dataset.theme = data.theme === "dark" ? "dark" : "light";
    this.root.dataset.view = data.view;
    const same = before && ["number", "lang", "opening"].every((name) => before[name] === data[name]) && before.run?.token === data.run?.token;
    if (!same) {
      this.poll = data.poll ?? null;
      this.#build(before !== undefined && before.number !== data.number);
    } else {
      this.bar?.show(data);
      if (Boolean(before.withheld) !== Boolean(data.withheld)) this.#learn();
      this.vote(data.poll ?? null);
      this.figure?.relook?.();
    }
    this.#hide();
    requestAnimationFrame(() => this.fitting.fit());
  }

  /** @param {boolean} moved from another lesson */
  #build(moved) {
    const { data, host } = this;
    this.figure?.dispose();
    const picked = moved ? -1 : (this.question?.picked ?? -1);
    this.words = wordsFrom(data.strings, data.lang);
    const { words } = this;
    const first = data.opening && !this.opened?.has(data.opening);
    this.opened = (this.opened ?? new Set()).add(data.opening);
    /** @type {any} */
    const fresh = { phase: data.revealed ? "open" : "ask", choice: null, values: { ...data.values } };
    this.state = this.memory[data.number] = (!first && this.memory[data.number]) || fresh;
    if (this.poll) Object.assign(this.state, { phase: this.poll.phase, choice: this.poll.choice });
    this.start = first ? data.start : {};
    this.bar = new Bar(words, { go: (n) => this.go(n), present: host.present, notes: () => this.notes(), link: () => this.link(), qr: host.qr, room: host.room });
    this.bar.show(data);
    this.title = h("h1", { tabindex: -1 }, h("span", { class: "fv-lesson-number", text: String(data.number) }), " ", h("span", { text: data.title }));
    this.figureEl = h("div", { class: "fv-lesson-figure" });
    this.trouble = h("p", { class: "fv-trouble", role: "alert", hidden: true });
    this.#say("");
    this.readouts = h("section", { class: "fv-readouts", "aria-label": words("lesson_readouts") });
    const Asked = host.Question ?? Question;
    this.question = new Asked(data.question, words, { lock: (choice) => this.lock(choice), reveal: () => this.reveal(), again: host.again });
    this.controls = new LessonControls(data.controls, this.state.values, { words, lang: data.lang }, (name, value) => this.#changed(name, value));
    const side = h("div", { class: "fv-lesson-side" }, this.question.el, this.controls.el, this.readouts);
    this.fitting.beside(side);
    this.takeAway = h("p", { class: "fv-takeaway" });
    this.reading = new Reading(data, words, host);
    const lead = html("p", data.lead);
    lead.className = "fv-lead";
    const head = h("header", { class: "fv-lesson-head" }, this.title, lead);
    this.#learn();
    const parts = [this.bar.el, head, this.trouble, h("div", { class: "fv-lesson-main" }, this.figureEl, side), this.takeAway, this.reading.el];
    this.root.replaceChildren(...parts);
    this.#raise();
    this.#phase();
    if (picked >= 0) this.question.choose(picked);
    if (moved) this.title.focus({ preventScroll: true });
    if (moved) window.scrollTo?.(0, 0);
  }

  /** What tells the answer; while a room votes, it comes later. */
  #learn() {
    const { data, words } = this;
    this.question.learn(data.question);
    this.takeAway.replaceChildren(h("b", { text: words("lesson_takeaway") }), html("span", data.takeaway));
    this.reading.learn(data.text);
  }

  #raise() {
    const { data, words, host } = this;
    const Figure = FIGURES[data.figure];
    /** @type {Context} */
    const context = {
      words,
      lang: data.lang,
      facts: data.facts,
      run: data.run ?? null,
      still: this.still,
      start: this.start,
      change: (name, value) => {
        this.controls.set(name, value);
        this.#changed(name, this.controls.values[name]);
      },
      tape: (name) => this.tapes.get(name),
      view: () => ({ base: this.data.base, theme: this.data.theme, lang: data.lang, strings: data.strings, view: this.data.view, autoplay: false }),
      room: (still) => this.fitting.room(still),
      revealed: () => this.state.phase === "open",
      loadPlotly: host.loadPlotly,
    };
    this.figure = new Figure(this.figureEl, this.readouts, context);
    this.figure.set({ ...this.controls.values });
    this.root.dataset.shape = data.shape;
    if (this.state.phase === "open") this.figure.open(true);
  }

  /** What is wrong around the lesson. @param {string} text */
  warn(text) {
    this.warning = text;
    this.#say(this.trouble.dataset.own ?? "");
  }

  /** What went wrong, above the figure. @param {string} text */
  #say(text) {
    this.trouble.dataset.own = text;
    const whole = [this.warning, text].filter(Boolean).join(" ");
    this.trouble.hidden = !whole;
    if (this.trouble.textContent !== whole) this.trouble.textContent = whole;
  }

  /** @param {string} name @param {number|string} value */
  #changed(name, value) {
    this.state.values[name] = value;
    this.figure?.set({ ...this.controls.values });
    this.reading.follow(this.state.values);
  }

  // -- predict, lock, reveal ------------------------------------------------------------------

  /** @param {number} choice */
  lock(choice) {
    if (this.poll) {
      this.host.cast?.(choice);
      return;
    }
    this.state.phase = "locked";
    this.state.choice = choice;
    this.#phase();
  }

  reveal() {
    if (this.state.phase === "open" || this.data.withheld) return;
    if (this.poll && this.host.advance?.() !== false) return;
    this.#open();
  }

  #open() {
    this.state.phase = "open";
    this.#phase();
    this.figure.open(false);
    requestAnimationFrame(() => this.fitting.fit());
  }

  /** The room votes, or no longer does. @param {import("../classroom/phases.js").Vote|null} poll */
  vote(poll) {
    const { state } = this;
    const same = JSON.stringify(poll) === JSON.stringify(this.poll);
    this.poll = poll;
    if (!state || same) return;
    if (!poll) this.#phase();
    else if (state.phase === "open" && poll.phase !== "open") {
      // The room is asked again: what was shown is shut.
      delete this.memory[this.data.number];
      this.#build(false);
      this.#hide();
    } else {
      state.choice = poll.choice;
      if (poll.phase === "open" && state.phase !== "open") this.#open();
      else {
        state.phase = poll.phase;
        this.#phase();
      }
    }
    // Who is to vote may be looking at the figure, or at the text below.
    if (poll?.state === "open" && poll.choice === null && this.host.cast) this.question.el.scrollIntoView({ block: "nearest" });
    requestAnimationFrame(() => this.fitting.fit());
  }

  #phase() {
    const { phase, choice } = this.state;
    this.root.dataset.phase = phase;
    this.question.show(phase, choice, this.data.answer, this.poll);
    this.controls.lock(phase !== "open");
    this.takeAway.hidden = phase !== "open";
    this.reading.text.hidden = Boolean(this.poll) && phase !== "open"; // it tells the answer
    this.reading.follow(this.state.values);
  }

  // -- wishes of hand and keys ----------------------------------------------------------------

  /** Clicker and arrow key: first the answer, then the next lesson. */
  next() {
    if (this.state.phase !== "open") this.reveal();
    else this.go(this.data.number + 1);
  }

  previous() {
    this.go(this.data.number - 1);
  }

  /** @param {number} number */
  go(number) {
    if (number < 1 || number > this.data.count || this.data.alone) return;
    if (this.notesWindow && !this.notesWindow.closed) this.notesWindow.location = this.host.notes(number);
    this.host.go(number);
  }

  notes() {
    this.notesWindow = window.open(this.host.notes(this.data.number), "facevis-notes", "width=720,height=860");
  }

  /** Keys 1 to 9: an answer, later a preset. @param {number} index */
  choose(index) {
    if (this.state.phase === "ask") this.question.choose(index);
    else if (this.state.phase === "open") this.controls.choose(index);
  }

  /** Enter: lock the chosen answer, then show the right one. */
  enter() {
    if (this.state.phase === "ask") this.question.lock();
    else this.reveal();
  }

  // -- links ----------------------------------------------------------------------------------

  link() {
    return this.host.link(queryOf(this));
  }

  /** What a link hides. */
  #hide() {
    for (const [name, el] of Object.entries({ question: this.question.el, controls: this.controls.el, text: this.reading.el, bar: this.bar.el, readouts: this.readouts, lead: this.root.querySelector(".fv-lead") })) {
      el.classList.toggle("fv-gone", this.data.hidden.includes(name));
    }
    for (const [name, { el }] of Object.entries(this.controls.parts)) el.classList.toggle("fv-gone", this.data.hidden.includes(name));
  }

  dispose() {
    this.stopKeys();
    this.fitting.dispose();
    this.figure?.dispose();
    this.root.remove();
  }
}
