/**
 * Bars of a vote, one in each option's row: the share as a length, number and percent beside it,
 * earlier years as a thin mark.
 */
import { h, write } from "../dom.js";

/** Shares of a vote in whole percent. @param {number[]} counts */
export function percents(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (total ? Math.round((100 * count) / total) : 0));
}

export class Bars {
  /** @param {HTMLElement[]} rows the options @param {import("../words.js").Words} words */
  constructor(rows, words) {
    this.words = words;
    this.parts = rows.map((row) => {
      const fill = h("i");
      const mark = h("b", { hidden: true });
      const number = h("span", { class: "fv-poll-number", "aria-hidden": "true" });
      const spoken = h("span", { class: "fv-spoken" });
      const el = h("span", { class: "fv-poll", hidden: true }, h("span", { class: "fv-poll-track", "aria-hidden": "true" }, fill, mark), number, spoken);
      row.append(el);
      return { el, fill, mark, number, spoken };
    });
  }

  /** @param {number[]|null|undefined} counts none: no bars @param {{counts: number[]}|null} [earlier] */
  show(counts, earlier = null) {
    const shares = percents(counts ?? []);
    const before = percents(earlier?.counts ?? []);
    this.parts.forEach(({ el, fill, mark, number, spoken }, i) => {
      el.hidden = !counts;
      if (!counts) return;
      fill.style.width = `${shares[i]}%`;
      mark.hidden = !earlier;
      if (earlier) mark.style.left = `${before[i]}%`;
      write(number, `${counts[i]} · ${shares[i]} %`);
      const texts = [this.words("room_bar", { n: counts[i], percent: shares[i] })];
      if (earlier) texts.push(this.words("room_bar_earlier", { percent: before[i] }));
      write(spoken, `: ${texts.join(", ")}`);
    });
  }
}
