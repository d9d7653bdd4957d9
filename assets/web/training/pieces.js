/** What the view of a full-scale run is built of: its state, the angle table, what happened, its log. */
import { h, write } from "../dom.js";
import { compact, decimal } from "../words.js";
import { short } from "./curves.js";
import { clock, secondsLeft, shownEvents } from "./history.js";

const MOST_EVENTS = 40;
/** A run that trains and says nothing for so long says so, seconds. */
const SILENT = 30;
const ANGLES = ["w_ec", "w_inter", "intra", "inter"];

/** Where a run stands: state, progress, speed, time left; and why it ended, if it did not finish. */
export class State {
  /** @param {any} words @param {string} lang */
  constructor(words, lang) {
    this.words = words;
    this.lang = lang;
    this.text = h("span");
    this.state = h("p", { class: "fv-state fv-training-state", role: "status" }, h("i"), this.text);
    this.bar = h("div", { class: "fv-training-fill" });
    this.progress = h("div", { class: "fv-training-bar", role: "progressbar", "aria-label": words("full_progress"), "aria-valuemin": 0 }, this.bar);
    /** @type {Record<string, HTMLElement>} */
    this.numbers = Object.fromEntries(["step", "speed", "left", "loss", "rate", "angle"].map((name) => [name, h("b", { text: "–" })]));
    const cells = Object.entries(this.numbers).map(([name, value]) => h("div", {}, h("dt", { text: words(`full_number_${name}`) }), h("dd", {}, value)));
    this.why = h("div", { class: "fv-training-why", role: "alert", hidden: true }, (this.sentence = h("p")), (this.remedy = h("p")));
    this.el = h("div", { class: "fv-training-head" }, this.state, this.progress, this.why, h("dl", { class: "fv-training-numbers" }, ...cells));
  }

  /** @param {any} run @param {import("./history.js").History} history */
  show(run, history) {
    const { words, lang } = this;
    const alive = ["training", "starting", "stopping"].includes(run.state);
    this.state.dataset.state = alive ? "training" : run.state === "broken" ? "failed" : run.state;
    const silent = run.state === "training" && run.silent > SILENT ? ` ${words("full_silent", { time: clock(run.silent) })}` : "";
    write(this.text, words(`full_state_${run.state}`, { place: run.place }) + silent);
    this.bar.style.width = `${run.steps ? (100 * Math.min(run.step, run.steps)) / run.steps : 0}%`;
    this.progress.setAttribute("aria-valuemax", String(run.steps));
    this.progress.setAttribute("aria-valuenow", String(run.step));
    this.#why(run);
    const number = (/** @type {string} */ name) => history.last(name);
    const speed = number("images_per_second");
    const shown = (/** @type {number|undefined} */ value, /** @type {(value: number) => string} */ text) => (value === undefined ? "–" : text(value));
    write(this.numbers.step, `${compact(run.step, lang)} / ${compact(run.steps, lang)}`);
    write(this.numbers.speed, shown(speed, (value) => compact(value, lang)));
    write(this.numbers.left, run.state === "training" || run.state === "starting" ? clock(secondsLeft(run, speed)) : "–");
    write(this.numbers.loss, shown(number("loss"), (value) => decimal(value, lang, value < 1 ? 4 : 3)));
    write(this.numbers.rate, shown(number("learning_rate"), (value) => short(value, lang)));
    write(this.numbers.angle, shown(number("angle_deg"), (value) => `${decimal(value, lang, 1)}°`));
  }

  /** @param {any} run */
  #why(run) {
    const bad = run.state === "failed" || run.state === "broken";
    this.why.hidden = !bad;
    if (!bad) return;
    write(this.sentence, run.said ? this.words(...run.said) : run.sentence);
    const [step] = run.checkpoints;
    const remedy = run.state === "broken" ? "full_remedy_broken" : step === undefined ? "full_remedy_anew" : "full_remedy_resume";
    write(this.remedy, this.words(remedy, { step: compact(step ?? 0, this.lang) }));
  }
}

/** The angle table of the first moment and of the one under the hand. */
export class AngleRows {
  /** @param {any} words @param {string} lang */
  constructor(words, lang) {
    this.words = words;
    this.lang = lang;
    this.heads = [0, 1].map(() => h("th", { scope: "col" }));
    this.cells = ANGLES.map(() => [h("td"), h("td")]);
    const rows = ANGLES.map((name, i) => h("tr", {}, h("th", { scope: "row", title: words(`table_${name}_help`) }, words(`table_${name}`), h("small", { text: words(`table_${name}_help`) })), ...this.cells[i]));
    this.el = h("div", { class: "fv-training-table", hidden: true }, h("h4", { text: words("full_angles") }), h("div", { class: "fv-wide" }, h("table", { class: "fv-table" }, h("thead", {}, h("tr", {}, h("td"), ...this.heads)), h("tbody", {}, ...rows))));
  }

  /** @param {any[]} entries @param {any} [chosen] */
  show(entries, chosen) {
    this.el.hidden = !entries.length;
    if (!entries.length) return;
    const pair = [entries[0], chosen ?? entries[entries.length - 1]];
    this.heads[1].hidden = pair[0] === pair[1];
    pair.forEach((entry, column) => {
      write(this.heads[column], this.words("full_step", { step: compact(entry.step, this.lang) }));
      ANGLES.forEach((name, i) => {
        const cell = this.cells[i][column];
        cell.hidden = column === 1 && pair[0] === pair[1];
        write(cell, Number.isFinite(entry[name]) ? `${decimal(entry[name], this.lang, 1)}°` : "–");
      });
    });
  }
}

/** What happened, newest first. */
export class Events {
  /** @param {any} words @param {string} lang */
  constructor(words, lang) {
    this.words = words;
    this.lang = lang;
    this.list = h("ul", { class: "fv-training-events" });
    this.el = h("div", {}, h("h4", { text: words("full_events") }), this.list);
    this.key = "";
  }

  /** @param {any[]} events */
  show(events) {
    const shown = shownEvents(events, MOST_EVENTS);
    const key = JSON.stringify([shown.length, shown[0]]);
    if (key === this.key) return;
    this.key = key;
    const time = new Intl.DateTimeFormat(this.lang === "en" ? "en-GB" : this.lang, { dateStyle: "short", timeStyle: "medium" });
    this.list.replaceChildren(...shown.map((one) => {
      const known = this.words(`full_event_${one.event}`);
      const name = known.startsWith("full_event_") ? String(one.event ?? "") : known;
      const when = Number.isFinite(one.time) ? time.format(1000 * one.time) : "";
      return h("li", { "data-event": String(one.event) },
        h("time", { text: when }), h("span", {}, h("b", { text: name }), ` ${this.words("full_step", { step: compact(one.step, this.lang) })}`, one.sentence ? h("p", { text: String(one.sentence) }) : ""));
    }));
  }
}

/** The end of what the process said; asked for only while it is open. */
export class Log {
  /** @param {any} words @param {() => void} opened */
  constructor(words, opened) {
    this.words = words;
    this.text = h("pre", { tabindex: 0, "aria-label": words("full_log") });
    this.el = h("details", { class: "fv-training-log", ontoggle: () => this.el.open && opened() }, h("summary", { text: words("full_log") }), this.text);
  }

  get wanted() {
    return this.el.open;
  }

  /** @param {string[]|undefined} lines */
  show(lines) {
    if (!lines) return;
    const { text } = this;
    const atEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 8;
    write(text, lines.length ? lines.join("\n") : this.words("full_no_log"));
    if (atEnd) text.scrollTop = text.scrollHeight;
  }
}
