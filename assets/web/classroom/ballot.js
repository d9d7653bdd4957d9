/** The question on a student's page: one vote where the room votes, and everybody's when the answer is shown. */
import { h } from "../dom.js";
import { Question } from "../lesson/question.js";
import { Bars } from "./bars.js";

export class Ballot extends Question {
  /** @param {any} question @param {import("../words.js").Words} words @param {any} acts */
  constructor(question, words, acts) {
    super(question, words, acts);
    this.bars = new Bars(this.rows, words);
    this.everybody = h("p", { class: "fv-poll-count", hidden: true });
    this.said.after(this.everybody);
  }

  /** @param {"ask"|"locked"|"open"} phase @param {number|null} choice @param {string} answer @param {import("./phases.js").Vote|null} vote */
  show(phase, choice, answer, vote) {
    const { words } = this;
    super.show(phase, choice, answer);
    this.el.dataset.vote = vote?.state ?? "";
    this.lockButton.textContent = words(vote ? "room_vote" : "lesson_lock");
    this.bars.show(vote?.counts);
    this.everybody.hidden = !vote?.counts;
    if (vote?.counts) this.everybody.textContent = words("room_everybody", { n: vote.total });
    if (!vote) return;
    for (const input of this.inputs) input.disabled = vote.state !== "open" || phase !== "ask";
    this.buttons.hidden = vote.state !== "open" || phase !== "ask";
    this.revealButton.hidden = true;
    this.said.hidden = !vote.said;
    this.said.textContent = vote.said ? words(vote.said) : "";
  }

  /** The lecturer goes on, not this page. */
  settled() {
    if (!this.el.dataset.vote) super.settled();
  }
}
