/**
 * Anatomy of a step: for the clicked sample, under every member, the logits and the gradient before
 * the next training step and what is left of them after it. The server computes; this shows.
 */
import { h } from "./dom.js";
import { short } from "./caption.js";
import { decimal } from "./words.js";

/** The longest arrow, in units of the circle's radius. */
const LONGEST = 0.42;
const LEAST = 0.05;
/** A gradient that the table writes as 0 has no arrow. */
const NOTHING = 5e-4;

export class Anatomy {
  /** @param {import("./words.js").Words} words @param {string} lang */
  constructor(words, lang) {
    this.words = words;
    this.lang = lang;
    this.lead = h("p", { class: "fv-quiet-note" });
    this.table = h("table", { class: "fv-table" });
    this.wide = h("div", { class: "fv-wide", hidden: true }, this.table);
    this.el = h("section", { class: "fv-anatomy" }, h("h3", { text: words("anatomy_title") }), this.wide, this.lead);
    this.lead.textContent = words("anatomy_hint");
  }

  /** @param {import("./stage.js").Stage|undefined} stage */
  clear(stage) {
    this.wide.hidden = true;
    this.lead.textContent = this.words("anatomy_hint");
    for (const cell of stage?.cells ?? []) cell.push = null;
    stage?.invalidate();
  }

  /** Another moment than the newest is on screen: its weights are gone. @param {import("./stage.js").Stage} stage */
  past(stage) {
    this.clear(stage);
    this.lead.textContent = this.words("anatomy_past");
  }

  /** @param {any} answer @param {import("./stage.js").Stage} stage */
  show(answer, stage) {
    const { words } = this;
    const names = [...stage.run.class_names, ...stage.run.unseen_names];
    this.#arrows(answer, stage);
    const heads = ["theta", "target", "rival", "probability", "exact", "detached"];
    const first = h("tr", {}, h("th", {}), ...heads.map((key) => h("th", { scope: "col", title: words(`anatomy_${key}_help`), text: words(`anatomy_${key}`) })));
    const rows = answer.members.map((/** @type {any} */ one, /** @type {number} */ i) => this.#row(one, stage.run.members[i], names));
    this.table.replaceChildren(h("thead", {}, first), h("tbody", {}, ...rows));
    this.wide.hidden = false;
    const kind = answer.unseen ? "anatomy_unseen" : answer.trains ? "anatomy_trains" : "anatomy_held";
    const text = words(kind, { index: answer.sample, name: names[answer.label] ?? "", step: answer.step, next: answer.step + 1 });
    this.lead.textContent = answer.step === 0 ? `${text} ${words("anatomy_same")}` : text;
  }

  /** @param {any} one @param {any} member @param {string[]} names */
  #row(one, member, names) {
    const { before, after, gradients } = one;
    const cells = [
      this.#change(before.theta, after.theta, (v) => this.words("degrees", { value: decimal(v, this.lang, 1) })),
      this.#target(before, after),
      this.#rival(before.rival, after.rival, names),
      this.#change(before.probability, after.probability, (v) => `${decimal(v * 100, this.lang, 1)} %`),
      this.#length(gradients.exact),
      this.#length(gradients.detached),
    ];
    return h("tr", {}, h("th", { scope: "row", text: this.words(`objective_${member.objective}`) }), ...cells.map((cell) => (typeof cell === "string" ? h("td", { text: cell }) : cell)));
  }

  /** Before → after. @param {number|null} from @param {number|null} to @param {(value: number) => string} write */
  #change(from, to, write) {
    if (from === null || from === undefined) return "–";
    return to === null || to === undefined ? write(from) : `${write(from)} → ${write(to)}`;
  }

  /** The logit as the loss sees it, and below it without its margin. @param {any} before @param {any} after */
  #target(before, after) {
    const text = this.#change(before.target, after.target, (v) => decimal(v, this.lang, 2));
    const differs = before.plain !== null && before.target !== null && Math.abs(before.plain - before.target) > 5e-3;
    return differs ? h("td", {}, text, h("small", { text: this.words("anatomy_plain", { value: decimal(before.plain, this.lang, 2) }) })) : text;
  }

  /** @param {any} before @param {any} after @param {string[]} names */
  #rival(before, after, names) {
    if (!before) return "–";
    const write = (/** @type {any} */ rival) => `${decimal(rival.logit, this.lang, 2)} (${names[rival.label]})`;
    return after ? `${write(before)} → ${write(after)}` : write(before);
  }

  /** @param {number[]|undefined} vector */
  #length(vector) {
    return vector?.length && vector.every(Number.isFinite) ? short(Number(Math.hypot(...vector).toPrecision(3)), this.lang) : "–";
  }

  /** One scale for all arrows on the sphere; open space, where lengths are free, has its own. @param {any} answer @param {import("./stage.js").Stage} stage */
  #arrows(answer, stage) {
    const flat = (/** @type {number} */ i) => stage.run.members[i].spherical;
    const longest = (/** @type {boolean} */ spherical) => Math.max(1e-9, ...answer.members.flatMap((/** @type {any} */ one, /** @type {number} */ i) =>
      flat(i) === spherical ? Object.values(one.gradients).map((/** @type {any} */ v) => Math.hypot(...v)) : []));
    const unit = new Map([[true, longest(true)], [false, longest(false)]]);
    stage.cells.forEach((cell) => {
      const one = answer.members[cell.member];
      const { exact, detached } = one.gradients;
      const scale = (/** @type {number[]|undefined} */ v) => arrow(v, /** @type {number} */ (unit.get(flat(cell.member))));
      const differs = detached && exact && detached.some((/** @type {number} */ v, /** @type {number} */ d) => Math.abs(v - exact[d]) > 1e-3 * Math.hypot(...exact));
      cell.push = { exact: scale(exact), detached: differs ? scale(detached) : null, after: one.after.embedding?.every(Number.isFinite) ? one.after.embedding : null };
    });
    stage.invalidate();
  }
}

/** @param {number[]|undefined} vector @param {number} longest */
function arrow(vector, longest) {
  const length = vector?.length ? Math.hypot(...vector) : 0;
  if (!vector || length < NOTHING) return null;
  const shown = Math.max(LEAST, (LONGEST * length) / longest);
  return vector.map((v) => (v / length) * shown);
}
