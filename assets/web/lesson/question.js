/** The question: predict, lock, reveal. Shows a phase and reports wishes; decides nothing. In a classroom others stand on it. */
import { h } from "../dom.js";
import { html } from "./texts.js";

export class Question {
  /**
   * @param {{text: string, options: {text: string, right: boolean|null}[]}} question
   * @param {import("../words.js").Words} words
   * @param {{lock: (choice: number) => void, reveal: () => void, again?: () => void}} acts
   */
  constructor(question, words, acts) {
    this.words = words;
    this.acts = acts;
    const group = `fv-question-${Math.random().toString(36).slice(2)}`;
    this.inputs = question.options.map((_, i) => h("input", { type: "radio", name: group, value: i }));
    this.rows = question.options.map(({ text }, i) => {
      this.inputs[i].addEventListener("change", () => (this.lockButton.disabled = false));
      const verdict = h("span", { class: "fv-verdict", hidden: true });
      return h("label", { class: "fv-option" }, this.inputs[i], h("span", { class: "fv-option-key", "aria-hidden": "true", text: String(i + 1) }), html("span", text), verdict);
    });
    this.lockButton = h("button", { type: "button", class: "fv-button fv-primary", disabled: true, onclick: () => this.lock(), text: words("lesson_lock") });
    this.revealButton = h("button", { type: "button", class: "fv-button", onclick: () => acts.reveal(), text: words("lesson_reveal") });
    this.buttons = h("div", { class: "fv-buttons" }, this.lockButton, this.revealButton);
    this.said = h("p", { class: "fv-quiet-note", "aria-live": "polite" });
    this.answer = h("div", { class: "fv-answer", "aria-live": "polite", hidden: true });
    const legend = html("legend", question.text);
    this.el = h("section", { class: "fv-question", "aria-label": words("lesson_question") },
      h("fieldset", {}, legend, ...this.rows), this.buttons, this.said, this.answer);
  }

  /** Which options are right; a room that votes hears it later. @param {{options: {right: boolean|null}[]}} question */
  learn({ options }) {
    options.forEach(({ right }, i) => {
      this.rows[i].dataset.right = String(right);
      this.rows[i].querySelector(".fv-verdict").textContent = right ? this.words("lesson_right") : "";
    });
  }

  /** @param {number} index */
  choose(index) {
    if (!this.inputs[index] || this.inputs[index].disabled) return;
    this.inputs[index].checked = true;
    this.lockButton.disabled = false;
  }

  /** Which answer is chosen; −1 if none. */
  get picked() {
    return this.inputs.findIndex(({ checked }) => checked);
  }

  lock() {
    const choice = this.picked;
    if (choice >= 0) this.acts.lock(choice);
  }

  /**
   * @param {"ask"|"locked"|"open"} phase @param {number|null} choice @param {string} answer
   * @param {import("../classroom/phases.js").Vote|null} [_vote] the room's, where there is one
   */
  show(phase, choice, answer, _vote) {
    const asking = phase === "ask";
    const before = this.el.dataset.phase;
    this.el.dataset.phase = phase;
    this.inputs.forEach((input, i) => {
      input.disabled = !asking;
      if (choice !== null) input.checked = i === choice;
      this.rows[i].dataset.chosen = String(input.checked);
      const verdict = /** @type {HTMLElement} */ (this.rows[i].querySelector(".fv-verdict"));
      verdict.hidden = phase !== "open";
      const right = this.rows[i].dataset.right === "true" && this.words("lesson_right");
      verdict.textContent = [right, input.checked && this.words("lesson_yours")].filter(Boolean).join(" · ");
    });
    this.lockButton.hidden = !asking;
    this.buttons.hidden = phase === "open";
    this.said.textContent = phase === "locked" ? this.words("lesson_locked") : "";
    this.said.hidden = phase !== "locked";
    this.answer.hidden = phase !== "open";
    if (phase === "open") this.answer.replaceChildren(html("p", answer));
    if (phase === "locked" && before !== phase) this.settled();
  }

  /** An answer was locked: the next press shows the right one. */
  settled() {
    this.revealButton.focus();
  }
}
