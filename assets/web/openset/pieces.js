/** What the parts of the open-set report are built of: the list of losses, pictures, axes, percents. */
import { h } from "../dom.js";
import { captionOf } from "../caption.js";
import { tile } from "../tile.js";
import { decimal } from "../words.js";

/** Side of a picture, in letters' heights. */
const TILE = 3.4;
const POWERS = ["1", "10⁻¹", "10⁻²", "10⁻³", "10⁻⁴", "10⁻⁵", "10⁻⁶"];

/** A choice of one loss; hears of it by `page.choose`. */
export class Losses {
  /** @param {import("./page.js").OpenSet} page */
  constructor(page) {
    const name = `fv-loss-${Math.random().toString(36).slice(2)}`;
    this.inputs = page.data.members.map((/** @type {any} */ member, /** @type {number} */ i) => {
      const input = h("input", { type: "radio", name, onchange: () => page.choose(i) });
      const { name: title, detail } = captionOf(member, page.words, page.data.lang);
      return { input, el: h("label", { class: `fv-tone-loss-${i}`, title: detail }, input, h("span", { text: title })) };
    });
    this.el = h("div", { class: "fv-losses", hidden: this.inputs.length < 2, role: "radiogroup", "aria-label": page.words("open_loss") }, ...this.inputs.map((/** @type {any} */ { el }) => el));
  }

  /** @param {number} chosen */
  show(chosen) {
    this.inputs.forEach((/** @type {any} */ { input }, /** @type {number} */ i) => (input.checked = i === chosen));
  }
}

/** What a loss or a model is called. @param {import("./page.js").OpenSet} page @param {number} member */
export function nameOf(page, member) {
  return captionOf(page.data.members[member], page.words, page.data.lang).name;
}

/** Losses in the order in which they are drawn: the chosen one over the others. @param {number[]} members @param {number} chosen */
export function chosenLast(members, chosen) {
  return [...members.filter((i) => i !== chosen), ...members.filter((i) => i === chosen)];
}

/** Two pictures side by side and their angle. @param {HTMLElement} list @param {number[][]} pairs @param {import("./page.js").OpenSet} page */
export function showPairs(list, pairs, page) {
  const key = `${page.data.token}|${page.data.lang}|${JSON.stringify(pairs)}`;
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...pairs.map(([a, b, angle]) => h("li", {}, picture(page, a), picture(page, b), h("small", { text: degrees(angle, page.data.lang) }))));
  if (!pairs.length) list.replaceChildren(h("li", { class: "fv-none", text: page.words("open_none") }));
}

/** One picture of a stranger. @param {import("./page.js").OpenSet} page @param {number} index @param {number} [side] */
export function picture(page, index, side = TILE) {
  const { report, data } = page;
  const name = report.names[report.labels[index]];
  const sheet = { url: `${data.base}/runs/${data.token}/strangers.png`, columns: report.columns };
  return tile(sheet, index, side, { class: "fv-face", role: "img", "aria-label": name, title: name });
}

/** @param {number|null|undefined} value @param {string} lang @param {number} [digits] */
export function percent(value, lang, digits = 1) {
  return value === null || value === undefined ? "–" : `${decimal(100 * value, lang, digits)} %`;
}

/** @param {number|null|undefined} value degrees @param {string} lang @param {number} [digits] */
export function degrees(value, lang, digits = 1) {
  return value === null || value === undefined ? "–" : `${decimal(value, lang, digits)}°`;
}

/** A logarithmic axis of shares: from `lowest` (a negative power of ten) to 1. @param {number} lowest @returns {[number, string][]} */
export function logTicks(lowest) {
  return [...Array(1 - lowest).keys()].map((k) => [lowest + k, POWERS[-(lowest + k)]]);
}

/** A negative power of ten in words. @param {number} share */
export function powerOf(share) {
  return POWERS[Math.round(-Math.log10(share))];
}

/** The outline of bars that are `width` wide. @param {number[]} shares @param {number} width @param {number} highest @param {number} [from] */
export function outline(shares, width, highest, from = 0) {
  const steps = shares.flatMap((share, i) => [[from + i * width, share / highest], [from + (i + 1) * width, share / highest]]);
  return [[from, 0], ...steps, [from + shares.length * width, 0]];
}
