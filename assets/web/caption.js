/** How a member and a statistic are called: one place for captions, tables and curves. Pure. */
import { SYMBOL } from "./controls.js";
import { decimal } from "./words.js";

/** @param {any} member @param {import("./words.js").Words} words @param {string} lang */
export function captionOf(member, words, lang) {
  if (member.title !== undefined) return { name: member.title, detail: member.detail };
  const name = words(`objective_${member.objective}`);
  const [m1, m2, m3] = member.margin;
  const parts = member.objective === "softmax" ? [words("lengths_free")] : [];
  if (member.in_margin_family) {
    if (m1 !== 1) parts.push(`${SYMBOL.m1} = ${short(m1, lang)}`);
    if (m2) parts.push(`${SYMBOL.m2} = ${short(m2, lang)}`);
    if (m3) parts.push(`${SYMBOL.m3} = ${short(m3, lang)}`);
    parts.push(`${SYMBOL.s} = ${short(member.scale, lang)}`);
  }
  if (member.distance_margin != null) parts.push(words("distance_margin", { value: short(member.distance_margin, lang) }));
  if (member.mining) parts.push(words(`mining_${member.mining}`));
  return { name, detail: parts.join(" · ") };
}

/** @param {number} value @param {string} lang */
export function short(value, lang) {
  return new Intl.NumberFormat(lang, { maximumFractionDigits: 3 }).format(value);
}

/** @param {string} name */
export function isShare(name) {
  return name.includes("accuracy") || name.endsWith("share");
}

/** @param {string} name @param {number|null|undefined} value @param {import("./words.js").Words} words @param {string} lang */
export function statisticText(name, value, words, lang) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (isShare(name)) return `${decimal(value * 100, lang, 1)} %`;
  return words("degrees", { value: decimal(value, lang, 1) });
}
