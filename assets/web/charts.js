/**
 * What the small charts show: the target logit, the decision boundary, and the run over its steps.
 * Turns margins and frames into chart descriptions; pure.
 *
 * @typedef {import("./formula.js").Margin} Margin
 * @typedef {import("./linechart.js").Spec} Spec
 * @typedef {import("./protocol.js").Frame} Frame
 */
import { decisionBoundary, targetCosine } from "./formula.js";
import { isShare, short } from "./caption.js";

const COUNT = 120;
/** @type {[number, string][]} */
export const DEGREES = [[0, "0°"], [Math.PI / 2, "90°"], [Math.PI, "180°"]];

/** @param {Margin} margin @param {any} tail @param {number} median radians @param {any} words @returns {Spec} */
export function psiSpec(margin, tail, median, words) {
  const angles = [...Array(COUNT + 1).keys()].map((i) => (Math.PI * i) / COUNT);
  const target = angles.map((a) => [a, targetCosine(a, margin, tail)]);
  const plain = angles.map((a) => [a, Math.cos(a)]);
  const least = Math.min(...target.map(([, y]) => y));
  const low = least >= -1.02 ? -1.15 : -Math.ceil((0.1 - least) * 2) / 2;
  const between = [...plain, ...[...target].reverse()];
  return {
    series: [
      { points: between, tone: "fv-tone-accent", filled: true },
      { points: plain, tone: "fv-tone-mute", dashed: true, label: words("psi_plain") },
      { points: target, tone: "fv-tone-accent", label: "ψ(θ)" },
    ],
    x: [0, Math.PI],
    y: [low, 1.15],
    xTicks: DEGREES,
    yTicks: low <= -2 ? [[1, "1"], [-1, "−1"], [Math.ceil(low), `−${-Math.ceil(low)}`]] : [[1, "1"], [0, "0"], [-1, "−1"]],
    dot: Number.isFinite(median) ? [median, targetCosine(median, margin, tail)] : undefined,
  };
}

/** @param {Margin} margin @param {any} tail @param {any} words @returns {Spec} */
export function boundarySpec(margin, tail, words) {
  const first = decisionBoundary(margin, COUNT + 1, tail);
  const second = first.map(([a, b]) => [b, a]);
  const end = first.length ? first[first.length - 1] : [0, 0];
  const corner = [[Math.PI, Math.PI]];
  return {
    series: [
      { points: [...first, ...(end[1] > 3.1 || end[0] > 3.1 ? corner : []), ...second.reverse()], tone: "fv-tone-accent", filled: true },
      { points: [[0, 0], [Math.PI, Math.PI]], tone: "fv-tone-mute", dashed: true },
      { points: first, tone: "fv-tone-accent" },
      { points: second, tone: "fv-tone-accent" },
    ],
    x: [0, Math.PI],
    y: [0, Math.PI],
    xTicks: [...DEGREES.slice(0, 2), [Math.PI, "θ₁"]],
    yTicks: [...DEGREES.slice(0, 2), [Math.PI, "θ₂"]],
    notes: [
      [Math.PI * 0.24, Math.PI * 0.8, words("boundary_one")],
      [Math.PI * 0.76, Math.PI * 0.17, words("boundary_two")],
    ],
  };
}

/** Bars of a histogram, degrees. */
const BIN = 3;

/**
 * How the angles to the own prototype and to all others are spread, each as a share of its highest bar.
 * @param {Float32Array} own @param {Float32Array} others radians @param {any} words @returns {Spec}
 */
export function histogramSpec(own, others, words) {
  return barsSpec(histogram(own), histogram(others), words);
}

/** The same of counts in bars. @param {number[]} own @param {number[]} others @param {any} words @returns {Spec} */
export function barsSpec(own, others, words) {
  return {
    series: [
      { points: outline(others), tone: "fv-tone-mute", bars: true, label: words("angles_others") },
      { points: outline(own), tone: "fv-tone-accent", bars: true, label: words("angles_own") },
    ],
    x: [0, 180],
    y: [0, 1.05],
    xTicks: [[0, "0°"], [90, "90°"], [180, "180°"]],
    yTicks: [],
  };
}

/** @param {number[]} bars */
function outline(bars) {
  const highest = Math.max(1, ...bars);
  const steps = bars.flatMap((count, i) => [[i * BIN, count / highest], [(i + 1) * BIN, count / highest]]);
  return [[0, 0], ...steps, [180, 0]];
}

/** Counts in bars of 3 degrees. @param {Float32Array} angles radians @returns {number[]} */
export function histogram(angles) {
  const bars = new Array(180 / BIN).fill(0);
  for (const angle of angles) {
    const place = Math.min(bars.length - 1, Math.floor((angle * 180) / Math.PI / BIN));
    if (place >= 0) bars[place] += 1;
  }
  return bars;
}

/** @param {number} last @returns {[number, string][]} */
function stepTicks(last) {
  return [[0, "0"], [last, String(last)]];
}

/** A chart over steps. @param {Frame[]} frames @param {(frame: Frame) => number|null|undefined} read */
function along(frames, read) {
  return frames.map((frame) => [frame.step, read(frame) ?? NaN]);
}

/** @param {number} value */
export function niceTop(value) {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 7.5, 10].find((k) => k * power >= value) ?? 10) * power;
}

/** @param {Frame[]} frames @param {number} member @param {number} last @returns {Spec} */
export function lossSpec(frames, member, last) {
  const points = along(frames, (frame) => frame.losses[member]);
  const top = niceTop(Math.max(...points.map(([, y]) => (Number.isFinite(y) ? y : 0)), 0));
  return {
    series: [{ points, tone: "fv-tone-accent" }],
    x: [0, last],
    y: [0, top],
    xTicks: stepTicks(last),
    yTicks: [[0, "0"], [top, String(Number(top.toPrecision(2)))]],
  };
}

/** @param {Frame[]} frames @param {number} member @param {number} last @param {string} name @param {any} labels of held-out and training @returns {Spec} */
export function shareSpec(frames, member, last, name, labels) {
  const read = (/** @type {string} */ key) => along(frames, (frame) => frame.statistics[member]?.[key]);
  /** @type {import("./linechart.js").Series[]} */
  const series = [{ points: read(name), tone: "fv-tone-accent" }];
  const held = labels ? read("held_out_accuracy") : [];
  if (held.some(([, y]) => Number.isFinite(y))) {
    series[0].label = labels.train;
    series.push({ points: held, tone: "fv-tone-ink", dashed: true, label: labels.held });
  }
  return {
    series,
    x: [0, last],
    y: [0, 1.02],
    xTicks: stepTicks(last),
    yTicks: [[0, "0"], [1, "100 %"]],
  };
}

/** @param {Frame[]} frames @param {number} member @param {number} last @param {number} packing radians @param {any} words @returns {Spec} */
export function angleSpec(frames, member, last, packing, words) {
  const read = (/** @type {string} */ key) => along(frames, (frame) => frame.statistics[member]?.[key]);
  const best = (packing * 180) / Math.PI;
  const intra = read("intra");
  const inter = read("inter");
  const highest = Math.max(best, ...[...intra, ...inter].map(([, y]) => (Number.isFinite(y) ? y : 0)));
  const top = Math.min(180, Math.ceil((highest * 1.1) / 10) * 10);
  return {
    series: [
      { points: [[0, best], [last, best]], tone: "fv-tone-mute", dashed: true, label: words("angles_packing") },
      { points: inter, tone: "fv-tone-accent", label: words("angles_inter") },
      { points: intra, tone: "fv-tone-ink", label: words("angles_intra") },
    ],
    x: [0, last],
    y: [0, top],
    xTicks: stepTicks(last),
    yTicks: [[0, "0°"], [top, `${top}°`]],
  };
}

const TONES = ["fv-tone-accent", "fv-tone-ink", "fv-tone-unseen"];

/**
 * Statistics of all members of a sweep against the value that is swept.
 * @param {Frame} frame @param {{name: string, values: number[], bound: number|null, posterior: number}} sweep
 * @param {string[]} names @param {{packing_angle: number, packing_exact: boolean}} run @param {any} words @returns {Spec}
 */
export function sweepSpec(frame, sweep, names, run, words) {
  const { values, bound } = sweep;
  const [low, high] = [values[0], values[values.length - 1]];
  const share = isShare(names[0]);
  const curves = names
    .map((name, i) => ({ points: values.map((v, m) => [v, frame.statistics[m]?.[name] ?? NaN]), tone: TONES[i], label: words(`table_${name}`), dashed: name.startsWith("unseen"), name }))
    .filter(({ points }) => points.some(([, y]) => Number.isFinite(y)));
  const best = names.includes("w_inter") ? (run.packing_angle * 180) / Math.PI : NaN;
  const highest = Math.max(0, ...curves.flatMap(({ points }) => points.map(([, y]) => (Number.isFinite(y) ? y : 0))), best || 0);
  const top = share ? 1.05 : Math.min(180, niceTop(highest));
  /** @type {import("./linechart.js").Series[]} */
  const series = [];
  // Right of the bound (left of it for the scale) lies what cannot be kept.
  if (bound !== null) {
    const [from, to] = sweep.name === "scale" ? [low, Math.min(high, bound)] : [Math.max(low, bound), high];
    if (to > from) series.push({ points: [[from, 0], [from, top], [to, top], [to, 0]], tone: "fv-tone-warn", filled: true, label: sweep.name === "scale" ? words("sweep_too_small", { share: Math.round(100 * sweep.posterior) }) : words(run.packing_exact ? "sweep_infeasible" : "sweep_unsure") });
  }
  if (Number.isFinite(best)) series.push({ points: [[low, best], [high, best]], tone: "fv-tone-mute", dashed: true, label: words("angles_packing") });
  return {
    series: [...series, ...curves],
    x: [low, high],
    y: [0, top],
    xTicks: [[low, short(low, "en")], [high, short(high, "en")]],
    yTicks: share ? [[0, "0"], [1, "100 %"]] : [[0, "0°"], [top, `${top}°`]],
  };
}
