/**
 * The open-set report on screen: asks the server for it while the run trains and when the hand
 * changes the gallery or the stranger, and passes it to the part that is shown. It measures nothing.
 */
import { h, write } from "../dom.js";
import { wordsFrom } from "../words.js";
import { Verification } from "./verification.js";
import { Identification } from "./identification.js";
import { Enrolment } from "./enrolment.js";
import { Certainty } from "./certainty.js";
import { Hardest } from "./hardest.js";

/** While training, a report of what is cheap comes this often after the last, ms. */
const EVERY = 4000;
/** The step alone is looked at this often, ms. */
const LOOK = 500;
const AFTER_ERROR = 2500;
const RESTING = 2000;
/** @type {Record<string, any>} */
const PARTS = { verification: Verification, identification: Identification, enrolment: Enrolment, certainty: Certainty, hardest: Hardest };

export class OpenSet {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.parent = parent;
    this.bar = h("div", { class: "fv-progress-fill" });
    this.progress = h("div", { class: "fv-progress", role: "progressbar", "aria-valuemin": 0 }, this.bar);
    this.where = h("p", { class: "fv-open-where", role: "status" });
    this.host = h("div", { class: "fv-open-part" });
    this.root = h("div", { class: "fv-root fv-open" }, h("div", { class: "fv-open-state" }, this.progress, this.where), this.host);
    parent.append(this.root);
    /** What is asked besides: gallery, per_identity, stranger, enrolled. @type {Record<string, number>} */
    this.asked = {};
    /** @type {any} the last one that came */
    this.report = undefined;
    /** The loss that is looked at, by its place among the members. */
    this.member = undefined;
    this.resizes = new ResizeObserver(() => this.part?.fit());
    this.resizes.observe(this.root);
    this.watch = setInterval(() => !this.parent.isConnected && this.dispose(), 3000);
  }

  /** @param {import("../live.js").Component} component */
  update({ data }) {
    const before = this.data;
    this.data = data;
    this.words = wordsFrom(data.strings, data.lang);
    this.root.dataset.theme = data.theme === "dark" ? "dark" : "light";
    this.progress.setAttribute("aria-label", this.words("open_progress"));
    if (!before || before.token !== data.token) {
      this.report = undefined;
      this.member = undefined;
      this.asked = {};
    }
    if (!before || before.token !== data.token || before.part !== data.part || before.lang !== data.lang) this.#show();
    if (!before || before.token !== data.token) this.#ask();
  }

  /** The part that the page chose. */
  #show() {
    this.part?.dispose?.();
    this.part = new PARTS[this.data.part](this.host, this);
    if (this.report) this.#tell();
  }

  /** The loss looked at: the last one of the list is the page's hero. */
  get chosen() {
    return Math.min(this.member ?? this.data.members.length - 1, this.data.members.length - 1);
  }

  /** @param {number} member */
  choose(member) {
    this.member = member;
    this.#tell();
  }

  /** Another gallery or stranger: ask again. @param {Record<string, number>} values */
  wish(values) {
    this.asked = { ...this.asked, ...values };
    this.#ask();
  }

  async #ask() {
    clearTimeout(this.timer);
    const { token, base } = this.data;
    const number = (this.number = (this.number ?? 0) + 1);
    const training = this.report ? this.report.state === "training" : !this.data.shown;
    const query = new URLSearchParams({ ...this.asked, full: training ? "0" : "1" });
    this.askedAt = performance.now();
    let wait = LOOK;
    try {
      const answer = await fetch(`${base}/runs/${token}/openset.json?${query}`);
      const report = await answer.json();
      if (number !== this.number || this.disposed) return;
      if (report.error) {
        write(this.where, report.gone ? this.words("gone") : report.error);
        this.host.hidden = !this.report;
        if (report.gone) return;
        this.timer = setTimeout(() => this.#ask(), AFTER_ERROR);
        return;
      }
      this.report = report;
      this.host.hidden = false;
      this.#tell();
      if (report.state !== "training") wait = report.full ? RESTING : 0;
    } catch {
      if (number !== this.number || this.disposed) return;
      write(this.where, this.words("lost"));
      this.timer = setTimeout(() => this.#ask(), AFTER_ERROR);
      return;
    }
    this.timer = setTimeout(() => this.#again(), wait);
  }

  /** Where the run is by now, which costs it nothing; a report only when there is something new to see. */
  async #again() {
    if (document.hidden) {
      this.timer = setTimeout(() => this.#again(), RESTING);
      return;
    }
    const { token, base } = this.data;
    const { number, report } = this;
    try {
      const answer = await fetch(`${base}/runs/${token}/openset.json?only=state`);
      const now = await answer.json();
      if (number !== this.number || this.disposed) return;
      const training = now.state === "training";
      const moved = now.state !== report.state || now.generation !== report.generation || (!training && now.step !== report.step);
      const due = training ? performance.now() - this.askedAt > EVERY : !report.full;
      this.report = { ...report, state: now.state };
      if (moved || due || now.gone) {
        this.#ask();
        return;
      }
      if (training) this.#progress(now.step, now.steps);
      this.timer = setTimeout(() => this.#again(), training ? LOOK : RESTING);
    } catch {
      // The server is away for a moment.
      if (number === this.number && !this.disposed) this.timer = setTimeout(() => this.#again(), AFTER_ERROR);
    }
  }

  /** @param {number} step @param {number} steps */
  #progress(step, steps) {
    this.bar.style.width = `${100 * Math.min(1, step / Math.max(1, steps))}%`;
    this.progress.setAttribute("aria-valuemax", String(steps));
    this.progress.setAttribute("aria-valuenow", String(step));
  }

  #tell() {
    const { report } = this;
    if (!report) return;
    const training = report.state === "training";
    this.#progress(report.step, report.steps);
    this.root.dataset.state = training || report.full ? report.state : "measuring";
    const what = { step: report.step, steps: report.steps, pictures: report.pictures, all: report.all_pictures, people: report.names.length, trained: report.trained_names.length };
    const some = report.pictures < report.all_pictures ? ` ${this.words("open_some", what)}` : "";
    write(this.where, `${this.words(training ? "open_training" : this.data.shown ? "open_shown" : "open_trained", what)}${some}`);
    this.part.show(report);
  }

  dispose() {
    this.disposed = true;
    clearTimeout(this.timer);
    clearInterval(this.watch);
    this.resizes.disconnect();
    this.part?.dispose?.();
    this.root.remove();
  }
}
