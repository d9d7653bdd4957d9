/** The question on the lecturer's screen: open the vote, watch the bars, lock, reveal. Reports wishes. */
import { h, write } from "../dom.js";
import { Question } from "../lesson/question.js";
import { Bars } from "./bars.js";
import { recall, remember } from "./storage.js";

const HIDE = "facevis-hide-bars";
/** @type {Record<string, string>} what the one button says */
const STEPS = { closed: "room_open", open: "room_lock", locked: "room_reveal" };

export class RoomQuestion extends Question {
  /** @param {any} question @param {import("../words.js").Words} words @param {any} acts with `again` where a room votes */
  constructor(question, words, acts) {
    super(question, words, acts);
    this.bars = new Bars(this.rows, words);
    this.step = h("button", { type: "button", class: "fv-button fv-primary", hidden: true, onclick: () => acts.reveal() });
    this.buttons.append(this.step);
    this.count = h("p", { class: "fv-poll-count" });
    this.hide = h("input", { type: "checkbox", class: "fv-switch", role: "switch" });
    this.hide.checked = recall(HIDE) === "1";
    this.hide.addEventListener("change", () => {
      remember(HIDE, this.hide.checked ? "1" : "0");
      this.#bars();
    });
    this.hideLabel = h("label", { class: "fv-project" }, this.hide, h("span", { text: words("room_hide") }));
    this.earlier = h("p", { class: "fv-poll-earlier", hidden: true });
    this.again = h("button", { type: "button", class: "fv-button fv-quiet", title: words("room_again_title"), onclick: () => acts.again(), text: words("room_again") });
    this.foot = h("div", { class: "fv-poll-foot", hidden: true }, this.count, this.hideLabel, this.earlier, this.again);
    this.said.after(this.foot);
  }

  /** Enter goes the room's way. */
  lock() {
    if (this.vote) this.acts.reveal();
    else super.lock();
  }

  /** @param {"ask"|"locked"|"open"} phase @param {number|null} choice @param {string} answer @param {import("./phases.js").Vote|null} vote */
  show(phase, choice, answer, vote) {
    const { words } = this;
    const before = this.vote?.state;
    this.vote = vote;
    // Counts alone say nothing new to a screen reader, nor move the answer.
    if (!vote || before !== vote.state) super.show(phase, choice, answer);
    this.el.dataset.vote = vote?.state ?? "";
    this.#bars();
    this.step.hidden = this.foot.hidden = !vote || vote.state === "waiting";
    this.lockButton.hidden = Boolean(vote) || phase !== "ask";
    this.revealButton.hidden = Boolean(vote);
    if (!vote) return;
    for (const input of this.inputs) input.disabled = true;
    this.said.hidden = true;
    if (STEPS[vote.state]) write(this.step, words(STEPS[vote.state]));
    this.count.hidden = vote.state === "closed";
    write(this.count, words("room_have_voted", { total: vote.total ?? 0, joined: Math.max(vote.joined ?? 0, vote.total ?? 0) }));
    this.hideLabel.hidden = !["closed", "open"].includes(vote.state);
    this.again.hidden = !["locked", "revealed"].includes(vote.state);
  }

  #bars() {
    const { vote } = this;
    const done = vote?.state === "locked" || vote?.state === "revealed";
    const shown = done || (vote?.state === "open" && !this.hide.checked);
    const earlier = (done && vote.earlier) || null;
    this.bars.show(shown ? vote.counts : null, earlier);
    this.earlier.hidden = !earlier;
    if (earlier) write(this.earlier, this.words("room_earlier", { n: earlier.total }));
  }

  /** The one button stays where the hand is. */
  settled() {
    if (!this.vote) super.settled();
  }
}
