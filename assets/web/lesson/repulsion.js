/**
 * K points that push each other over the sphere until they stand as far apart as they can: steps
 * down a soft largest cosine that hardens as it goes. Pure; what it must reach comes from
 * facevis.packings.
 */

/** Points in one corner, so that the first picture is a crowd. @param {number} count @param {number} dim @param {() => number} random @returns {Float64Array} (K, D) */
export function crowd(count, dim, random) {
  const points = new Float64Array(count * dim);
  for (let i = 0; i < points.length; i += 1) points[i] = 0.55 * (random() - 0.5) + (i % dim === 0 ? 1 : 0);
  return normalise(points, dim);
}

/** One step; every point goes along the sphere, none farther than `reach` radians. @param {Float64Array} points @param {number} dim @param {number} sharpness @param {number} reach */
export function push(points, dim, sharpness, reach) {
  const count = points.length / dim;
  const pull = new Float64Array(points.length);
  let top = -1;
  for (let i = 0; i < count; i += 1) for (let j = 0; j < i; j += 1) top = Math.max(top, dot(points, i, j, dim));
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < count; j += 1) {
      if (i === j) continue;
      const weight = Math.exp(sharpness * (dot(points, i, j, dim) - top));
      for (let d = 0; d < dim; d += 1) pull[i * dim + d] -= weight * points[j * dim + d];
    }
  }
  let longest = 1e-12;
  for (let i = 0; i < count; i += 1) longest = Math.max(longest, tangent(pull, points, i, dim));
  for (let i = 0; i < points.length; i += 1) points[i] += (reach * pull[i]) / longest;
  return normalise(points, dim);
}

/** The smallest angle between two points, radians. @param {Float64Array} points @param {number} dim */
export function smallestAngle(points, dim) {
  let top = -1;
  for (let i = 0; i < points.length / dim; i += 1) for (let j = 0; j < i; j += 1) top = Math.max(top, dot(points, i, j, dim));
  return Math.acos(Math.min(1, top));
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). @param {number} seed */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** @param {Float64Array} points @param {number} i @param {number} j @param {number} dim */
function dot(points, i, j, dim) {
  let sum = 0;
  for (let d = 0; d < dim; d += 1) sum += points[i * dim + d] * points[j * dim + d];
  return sum;
}

/** Take off what points away from the sphere; the length that is left. @param {Float64Array} pull @param {Float64Array} points @param {number} i @param {number} dim */
function tangent(pull, points, i, dim) {
  let out = 0;
  for (let d = i * dim; d < (i + 1) * dim; d += 1) out += pull[d] * points[d];
  let square = 0;
  for (let d = i * dim; d < (i + 1) * dim; d += 1) {
    pull[d] -= out * points[d];
    square += pull[d] ** 2;
  }
  return Math.sqrt(square);
}

/** @param {Float64Array} points @param {number} dim */
function normalise(points, dim) {
  for (let i = 0; i < points.length; i += dim) {
    let square = 0;
    for (let d = i; d < i + dim; d += 1) square += points[d] ** 2;
    const length = Math.sqrt(square) || 1;
    for (let d = i; d < i + dim; d += 1) points[d] /= length;
  }
  return points;
}
