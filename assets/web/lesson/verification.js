/**
 * Genuine and impostor pairs of embeddings, and what a threshold makes of them. Pure; tested
 * against scikit-learn.
 *
 * @typedef {Object} Pairs  angles in degrees, each sorted upwards
 * @property {Float32Array} genuine @property {Float32Array} impostor
 */
import { angleBetween } from "../store.js";

/**
 * All pairs of the samples given.
 * @param {Float32Array} points (N, D) @param {ArrayLike<number>} labels @param {number} dim @param {number[]} samples
 * @returns {Pairs}
 */
export function pairAngles(points, labels, dim, samples) {
  /** @type {number[]} */
  const genuine = [];
  /** @type {number[]} */
  const impostor = [];
  for (let a = 0; a < samples.length; a += 1) {
    for (let b = 0; b < a; b += 1) {
      const [i, j] = [samples[a], samples[b]];
      const angle = (angleBetween(points, i, points, j, dim) * 180) / Math.PI;
      (labels[i] === labels[j] ? genuine : impostor).push(angle);
    }
  }
  return { genuine: Float32Array.from(genuine).sort(), impostor: Float32Array.from(impostor).sort() };
}

/** How many of sorted angles lie at or below a threshold. @param {Float32Array} sorted @param {number} threshold */
export function countBelow(sorted, threshold) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Shares of impostor and genuine pairs that are accepted. @param {Pairs} pairs @param {number} threshold degrees */
export function rates({ genuine, impostor }, threshold) {
  return { far: countBelow(impostor, threshold) / impostor.length, tar: countBelow(genuine, threshold) / genuine.length };
}

/** The largest threshold whose FAR is at most `far`, and the TAR there. @param {Pairs} pairs @param {number} far */
export function tarAtFar({ genuine, impostor }, far) {
  const allowed = Math.floor(far * impostor.length + 1e-9);
  // Just below the first impostor that may not pass.
  const threshold = allowed >= impostor.length ? 180 : below(impostor[allowed]);
  return { threshold, tar: countBelow(genuine, threshold) / genuine.length, reliable: far * impostor.length >= 10 };
}

/** The next smaller float32. @param {number} value */
function below(value) {
  const floats = new Float32Array([value]);
  const bits = new Uint32Array(floats.buffer);
  if (floats[0] <= 0) return -1;
  bits[0] -= 1;
  return floats[0];
}

/** TAR against log10 FAR, from `lowest` up. @param {Pairs} pairs @param {number} lowest a power of ten @param {number} count */
export function rocCurve(pairs, lowest, count = 60) {
  return [...Array(count + 1).keys()].map((k) => {
    const power = lowest * (1 - k / count);
    return [power, tarAtFar(pairs, 10 ** power).tar];
  });
}

/** Share of samples whose nearest other sample is of the same person. @param {Float32Array} points @param {ArrayLike<number>} labels @param {number} dim @param {number[]} samples */
export function rankOne(points, labels, dim, samples) {
  let right = 0;
  for (const i of samples) {
    let nearest = -1;
    let least = Infinity;
    for (const j of samples) {
      const angle = i === j ? Infinity : angleBetween(points, i, points, j, dim);
      if (angle < least) [least, nearest] = [angle, j];
    }
    if (nearest >= 0 && labels[nearest] === labels[i]) right += 1;
  }
  return right / samples.length;
}
