/**
 * The one formula, ψ(m1·θ + m2) − m3, in the browser: the copy of facevis/margins.py and
 * facevis/geometry.py that lets curves and caps follow the finger. Pure: it knows no DOM.
 * Angles are radians. A test compares it with Python's on a grid.
 *
 * Sources: Liu et al., SphereFace, CVPR 2017 (ψ); Wang et al., CosFace, CVPR 2018; Deng et al.,
 * ArcFace, CVPR 2019.
 *
 * @typedef {{m1: number, m2: number, m3: number}} Margin
 * @typedef {"monotone"|"raw"|"linear"|"easy"} Tail
 */

/** @param {number} value @param {number} low @param {number} high */
export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/** ψ(φ) = (−1)^k cos φ − 2k, k = ⌊φ/π⌋: the cosine that keeps falling. @param {number} phi */
export function psi(phi) {
  const turns = Math.floor(phi / Math.PI);
  return (turns % 2 === 0 ? 1 : -1) * Math.cos(phi) - 2 * turns;
}

/**
 * The cosine that the loss sees for the true class, ψ(m1·θ + m2) − m3.
 * @param {number} angle @param {Margin} margin @param {Tail} [tail]
 */
export function targetCosine(angle, margin, tail = "monotone") {
  const phi = margin.m1 * angle + margin.m2;
  if (tail === "monotone") return psi(phi) - margin.m3;
  const cosine = Math.cos(phi) - margin.m3;
  if (tail === "linear") {
    const beyond = Math.cos(angle) - margin.m2 * Math.sin(margin.m2) - margin.m3;
    return phi > Math.PI ? beyond : cosine;
  }
  if (tail === "easy") return Math.cos(angle) > 0 ? cosine : Math.cos(angle);
  return cosine;
}

/**
 * The angle at which training pretends the point to be: arccos of the target cosine, at most π.
 * @param {number} angle @param {Margin} margin @param {Tail} [tail]
 */
export function pretendedAngle(angle, margin, tail = "monotone") {
  return Math.acos(clamp(targetCosine(angle, margin, tail), -1, 1));
}

/**
 * Whether prototypes `packing` radians apart can keep the margin with no spread inside a class:
 * ψ(m2) − m3 ≥ cos φ_K and m2 ≤ φ_K.
 * @param {Margin} margin @param {number} packing
 */
export function feasible(margin, packing) {
  const kept = psi(margin.m2) - margin.m3 >= Math.cos(packing) - 1e-9;
  return kept && margin.m2 <= packing + 1e-9;
}

/**
 * The largest θ with ψ(m1·θ + m2) − m3 ≥ cos(φ_K − θ), by bisection; 0 where nothing fits.
 * @param {Margin} margin @param {number} packing
 */
export function admissibleRadius(margin, packing) {
  if (!feasible(margin, packing)) return 0;
  let low = 0;
  let high = packing;
  for (let i = 0; i < 50; i += 1) {
    const middle = (low + high) / 2;
    if (targetCosine(middle, margin) >= Math.cos(packing - middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * What of the room φ_K leaves at θ = 0 the margin uses: (1 − ψ(m2) + m3) / (1 − cos φ_K).
 * At most 1 exactly where the margin is feasible.
 * @param {Margin} margin @param {number} packing
 */
export function shareUsed(margin, packing) {
  return (1 - psi(margin.m2) + margin.m3) / (1 - Math.cos(packing));
}

/** The largest m3 beside this m2 (negative: none). @param {number} m2 @param {number} packing */
export function largestM3(m2, packing) {
  return m2 > packing + 1e-9 ? -1 : psi(m2) - Math.cos(packing);
}

/** The largest m2 beside this m3 (NaN: none). @param {number} m3 @param {number} packing */
export function largestM2(m3, packing) {
  const cosine = Math.cos(packing) + m3;
  return cosine > 1 ? NaN : Math.acos(Math.max(-1, cosine));
}

/**
 * The decision boundary on the side of class 1: pairs (θ1, θ2) with ψ(m1·θ1 + m2) − m3 = cos θ2,
 * for as long as such a θ2 exists.
 * @param {Margin} margin @param {number} [count] @param {Tail} [tail]
 * @returns {[number, number][]}
 */
export function decisionBoundary(margin, count = 181, tail = "monotone") {
  /** @type {[number, number][]} */
  const pairs = [];
  for (let i = 0; i < count; i += 1) {
    const first = (Math.PI * i) / (count - 1);
    const target = targetCosine(first, margin, tail);
    if (target >= -1 - 1e-12 && target <= 1) pairs.push([first, Math.acos(Math.max(-1, target))]);
  }
  return pairs;
}
