/**
 * What a student's own run is made of: the fields of the form, and what a lesson's link brings
 * along that the form has no field for. Pure.
 */

/** @type {Record<string, string[]>} the losses, and which of m1, m2, m3 and s each has */
export const LOSSES = {
  softmax: [],
  normalized_softmax: ["s"],
  contrastive: [],
  triplet: [],
  sphereface: ["m1", "s"],
  cosface: ["m3", "s"],
  arcface: ["m2", "s"],
  combined: ["m1", "m2", "m3", "s"],
};
/** @type {Record<string, [number, number, number]>} low, high, step: those of the playground's sliders */
export const RANGES = { m1: [1, 4, 0.05], m2: [0, 1.2, 0.01], m3: [0, 1, 0.01], s: [1, 64, 0.5], seed: [0, 9999, 1] };
/** @type {Record<string, Record<string, number>>} the classic margins */
const CLASSIC = { sphereface: { m1: 1.35 }, cosface: { m3: 0.35 }, arcface: { m2: 0.5 }, combined: { m1: 1, m2: 0.3, m3: 0.2 } };
/** Scales at which ten classes fill the circle and the sphere evenly. @type {Record<string, number>} */
const SCALE = { 2: 16, 3: 8 };
/** @type {Record<string, Record<string, string>>} presets that a lesson's link may name */
const PRESETS = { arcface: { loss: "arcface" }, arcface_sphere: { loss: "arcface", dim: "3" } };
const FORM = ["loss", "m1", "m2", "m3", "s", "dim", "seed", "lang", "preset"];

/** @typedef {{loss: string, dim: string, values: Record<string, number>, more: Record<string, string>}} Wish */

/** A lesson's link as the form shows it. @param {Record<string, string>} query @returns {Wish} */
export function wishOf(query) {
  const asked = { ...(PRESETS[query.preset] ?? {}), ...query };
  const loss = Object.hasOwn(LOSSES, asked.loss ?? "") ? asked.loss : "arcface";
  const dim = asked.dim === "3" ? "3" : "2";
  const values = classic(loss, dim);
  for (const name of Object.keys(values)) {
    const value = Number(asked[name]);
    if (asked[name] !== undefined && asked[name] !== "" && Number.isFinite(value)) values[name] = value;
  }
  const more = Object.fromEntries(Object.entries(query).filter(([name]) => !FORM.includes(name)));
  return { loss, dim, values, more };
}

/** Where the fields begin for a loss. @param {string} loss @param {string} dim @returns {Record<string, number>} */
export function classic(loss, dim) {
  return { m1: 1, m2: 0, m3: 0, s: SCALE[dim], seed: 0, ...(CLASSIC[loss] ?? {}) };
}

/** The form as a link's parameters: only what the loss has. @param {Wish} wish @returns {Record<string, string>} */
export function queryOf({ loss, dim, values, more }) {
  const fields = [...LOSSES[loss], "seed"].map((name) => [name, String(values[name])]);
  return { ...more, loss, dim, ...Object.fromEntries(fields) };
}
