/**
 * What the charts of a full-scale run show: its curves over steps, evaluations by set, and how
 * angles are spread. Turns what was told into chart descriptions; pure.
 *
 * @typedef {import("../linechart.js").Spec} Spec
 */
import { niceTop } from "../charts.js";
import { outline } from "../openset/pieces.js";
import { compact } from "../words.js";

/** Points that a chart of this width can show. */
const DRAWN = 500;
const TONES = ["fv-tone-accent", "fv-tone-ink", "fv-tone-unseen", "fv-tone-warn", "fv-tone-mute"];
/** What evaluations hold, best known first. */
export const METRICS = ["accuracy", "tar_at_0.01", "tar_at_0.001", "tar_at_0.0001", "auc", "eer"];
/** @type {[number, string][]} */
const DEGREES = [[0, "0°"], [45, "45°"], [90, "90°"], [135, "135°"], [180, "180°"]];

/** @param {number} last @param {string} lang @returns {[number, string][]} */
function stepTicks(last, lang) {
  return [[0, "0"], [last, compact(last, lang)]];
}

/** Every k-th pair, and the last one. @param {number[][]} points */
export function drawn(points) {
  const every = Math.ceil(points.length / DRAWN);
  return every < 2 ? points : points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

/**
 * A curve over steps, from 0 or in powers of ten.
 * @param {Record<string, (number|null)[]>} train @param {string} name @param {{last: number, lang: string, log?: boolean, unit?: string}} options @returns {Spec}
 */
export function curveSpec(train, name, { last, lang, log = false, unit = "" }) {
  const steps = train.step ?? [];
  const values = (train[name] ?? []).map((value) => (log && !(value > 0) ? NaN : value ?? NaN));
  const points = drawn(steps.map((step, i) => [step, log ? Math.log10(values[i]) : values[i]]));
  const real = values.filter(Number.isFinite);
  const shared = { series: [{ points, tone: "fv-tone-accent" }], x: /** @type {[number, number]} */ ([0, last]), xTicks: stepTicks(last, lang) };
  if (log) return { ...shared, ...logAxis(real, lang) };
  const top = niceTop(Math.max(0, ...reduced(real)));
  return { ...shared, y: [0, top], yTicks: [[0, `0${unit}`], [top / 2, tick(top / 2, lang) + unit], [top, tick(top, lang) + unit]] };
}

/** Largest and smallest of any number of values. @param {number[]} values */
function reduced(values) {
  return values.length ? [values.reduce((a, b) => Math.max(a, b)), values.reduce((a, b) => Math.min(a, b))] : [];
}

/** @param {number[]} values @param {string} lang @returns {{y: [number, number], yTicks: [number, string][]}} */
function logAxis(values, lang) {
  const [high, low] = values.length ? reduced(values) : [1, 0.1];
  const steps = [1, 2, 5].flatMap((k) => [...Array(40).keys()].map((p) => k * 10 ** (p - 20))).sort((a, b) => a - b);
  const below = steps.filter((value) => value <= low).pop() ?? low;
  const above = steps.find((value) => value >= high && value > below) ?? high;
  const inside = steps.filter((value) => value >= below && value <= above);
  const whole = inside.filter((value) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9);
  const shown = inside.length <= 5 ? inside : whole.length > 1 ? whole : [inside[0], inside[inside.length - 1]];
  return { y: [Math.log10(below), Math.log10(above)], yTicks: shown.map((value) => [Math.log10(value), short(value, lang)]) };
}

/** @param {number} value @param {string} lang */
function tick(value, lang) {
  return value >= 1000 ? new Intl.NumberFormat(lang, { notation: "compact", maximumSignificantDigits: 3 }).format(value) : short(value, lang);
}

/** Three digits, in the way of the language. @param {number} value @param {string} lang */
export function short(value, lang) {
  if (value && Math.abs(value) < 1e-4) return new Intl.NumberFormat(lang, { notation: "scientific", maximumSignificantDigits: 2 }).format(value);
  return new Intl.NumberFormat(lang, { maximumSignificantDigits: 3 }).format(value);
}

/** Which metrics a run's evaluations hold. @param {any[]} evaluations */
export function metricsOf(evaluations) {
  return METRICS.filter((name) => evaluations.some((entry) => Number.isFinite(entry[name])));
}

/** The sets of a run's evaluations, in order. @param {any[]} evaluations @returns {string[]} */
function setsOf(evaluations) {
  return [...new Set(evaluations.map((entry) => String(entry.set)))];
}

/**
 * One metric of all sets over steps.
 * @param {any[]} evaluations @param {string} metric @param {{last: number, lang: string, name: (set: string, value: number) => string}} options @returns {Spec}
 */
export function evaluationSpec(evaluations, metric, { last, lang, name }) {
  const sets = setsOf(evaluations);
  const series = sets.map((set, i) => {
    const points = evaluations.filter((entry) => String(entry.set) === set).map((entry) => [entry.step, number(entry[metric])]);
    const known = points.filter(([, y]) => Number.isFinite(y));
    return { points, tone: TONES[i % TONES.length], dashed: i >= TONES.length, label: name(set, known.length ? known[known.length - 1][1] : NaN) };
  });
  const values = series.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
  const [high, low] = values.length ? reduced(values) : [1, 0];
  const falling = metric === "eer";
  const y = /** @type {[number, number]} */ (falling ? [0, niceTop(high)] : [Math.min(0.9, Math.floor(low * 10) / 10), 1]);
  const percent = (/** @type {number} */ value) => `${Number((100 * value).toPrecision(3))} %`;
  return { series, x: [0, last], xTicks: stepTicks(last, lang), y, yTicks: [[y[0], percent(y[0])], [(y[0] + y[1]) / 2, percent((y[0] + y[1]) / 2)], [y[1], percent(y[1])]] };
}

/** @param {any} value */
function number(value) {
  return typeof value === "number" ? value : NaN;
}

/** How angles are spread at one moment, each as a share of its highest bar. @param {any} entry @param {any} words @returns {Spec} */
export function spreadSpec(entry, words) {
  const bars = (/** @type {number[]} */ counts) => outline(counts, 1, Math.max(1, ...counts));
  return {
    series: [
      { points: bars(entry.nearest_other), tone: "fv-tone-unseen", bars: true, label: words("full_nearest_other") },
      { points: bars(entry.own), tone: "fv-tone-accent", bars: true, label: words("full_own") },
    ],
    x: [0, 180], y: [0, 1.05], xTicks: DEGREES, yTicks: [],
  };
}

/** The angle below which half of the counts lie, degrees. @param {number[]} counts */
export function median(counts) {
  const half = counts.reduce((a, b) => a + b, 0) / 2;
  let seen = 0;
  for (let k = 0; k < counts.length; k += 1) {
    if (seen + counts[k] >= half && counts[k]) return k + (half - seen) / counts[k];
    seen += counts[k];
  }
  return NaN;
}

/** Whether an entry has both histograms. @param {any} entry */
export function hasSpread(entry) {
  return [entry.own, entry.nearest_other].every((counts) => Array.isArray(counts) && counts.length === 180 && counts.every(Number.isFinite));
}

/** The degrees that are used at all, in whole tens. @param {any[]} entries @returns {[number, number]} */
export function usedDegrees(entries) {
  let [low, high] = [180, 0];
  for (const entry of entries) {
    for (const counts of [entry.own, entry.nearest_other]) {
      const first = counts.findIndex((/** @type {number} */ count) => count > 0);
      if (first < 0) continue;
      low = Math.min(low, first);
      high = Math.max(high, counts.findLastIndex((/** @type {number} */ count) => count > 0) + 1);
    }
  }
  return low < high ? [Math.floor(low / 10) * 10, Math.min(180, Math.ceil(high / 10) * 10)] : [0, 180];
}
