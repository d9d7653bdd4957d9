/**
 * The formulas behind the lessons' diagrams: pair and triplet losses, the margin between two
 * prototypes, and what each approach costs. Pure: it knows no DOM.
 *
 * Sources: Hadsell et al., CVPR 2006 (pairs); Schroff et al., FaceNet, CVPR 2015 (triplets; here
 * unsquared, as the lecture writes them); Deng et al., ArcFace, CVPR 2019.
 *
 * @typedef {"same"|"different"} Pair
 * @typedef {"hard"|"semi"|"easy"} Zone
 * @typedef {{parameters: number, logits: number, pairs: number, triplets: number}} Costs
 */

/**
 * d² for two pictures of one person, max(0, m − d)² for two people; `slope` is dL/dd.
 * @param {Pair} pair @param {number} distance @param {number} margin
 */
export function contrastive(pair, distance, margin) {
  if (pair === "same") return { loss: distance ** 2, slope: 2 * distance };
  const short = Math.max(0, margin - distance);
  return { loss: short ** 2, slope: short ? -2 * short : 0 };
}

/** The angle under which a chord of the unit circle is seen, radians. @param {number} chord */
export function chordAngle(chord) {
  return 2 * Math.asin(Math.min(1, Math.max(0, chord / 2)));
}

/** The chord of an angle on the unit circle. @param {number} angle radians */
export function angleChord(angle) {
  return 2 * Math.sin(angle / 2);
}

/**
 * What of dL/dd acts along the circle, where unit vectors live: dL/dα, as d = 2 sin(α/2).
 * @param {number} slope dL/dd @param {number} distance
 */
export function alongCircle(slope, distance) {
  return slope * Math.cos(chordAngle(distance) / 2);
}

/**
 * max(0, d(a, p) + m − d(a, n)) and the zone of the negative example.
 * @param {number} positive d(a, p) @param {number} negative d(a, n) @param {number} margin
 * @returns {{loss: number, zone: Zone}}
 */
export function triplet(positive, negative, margin) {
  const loss = Math.max(0, positive + margin - negative);
  // Sliders move in hundredths: what is nought but for rounding is nought.
  if (loss < 1e-9) return { loss: 0, zone: "easy" };
  return { loss, zone: negative <= positive ? "hard" : "semi" };
}

/**
 * ArcFace's boundary on the side of class 1, between two prototypes `apart` radians from each
 * other: θ1 + m2 = θ2 with θ2 = apart − θ1. NaN where the margin is wider than the room.
 * @param {number} apart @param {number} m2
 */
export function trainingBoundary(apart, m2) {
  return m2 <= apart ? (apart - m2) / 2 : NaN;
}

/**
 * Softmax over two classes on the circle for a point `theta` from prototype 1.
 * @param {number} theta @param {number} apart @param {number} m2 radians @param {number} scale
 */
export function twoClassProbability(theta, apart, m2, scale) {
  const other = Math.cos(Math.abs(apart - theta));
  return 1 / (1 + Math.exp(scale * (other - Math.cos(theta + m2))));
}

/**
 * How many numbers or terms each approach has, with `images` pictures of each identity.
 * Pairs N(N−1)/2; triplets Σ n(n−1)(N−n); N = C·n.
 * @param {number} identities C @param {number} images n @param {number} dim D @param {number} batch B
 * @returns {Costs}
 */
export function costs(identities, images, dim, batch) {
  const pictures = identities * images;
  return {
    parameters: identities * dim,
    logits: batch * identities,
    pairs: (pictures * (pictures - 1)) / 2,
    triplets: identities * images * (images - 1) * (pictures - images),
  };
}

/**
 * Middles of labels moved apart so that neighbours keep `gap` between them: in their order, within
 * [low, high], and as near as possible (least squares) to where they belong.
 * @param {number[]} wanted @param {number[]} sizes @param {number} gap @param {number} low @param {number} high
 */
export function nudgeApart(wanted, sizes, gap, low, high) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
  // Where each would stand if all were packed from 0: what is left to choose must not fall.
  let end = 0;
  const packed = order.map((item) => {
    end += sizes[item] + gap;
    return end - gap - sizes[item] / 2;
  });
  /** @type {{sum: number, count: number}[]} pools of equal values */
  const pools = [];
  order.forEach((item, i) => {
    pools.push({ sum: wanted[item] - packed[i], count: 1 });
    while (pools.length > 1 && mean(pools[pools.length - 2]) > mean(pools[pools.length - 1])) {
      const last = pools.pop();
      pools[pools.length - 1].sum += last.sum;
      pools[pools.length - 1].count += last.count;
    }
  });
  const places = new Array(wanted.length);
  const free = pools.flatMap((pool) => new Array(pool.count).fill(mean(pool)));
  order.forEach((item, i) => (places[item] = packed[i] + Math.max(low, Math.min(high - end + gap, free[i]))));
  return places;
}

/** @param {{sum: number, count: number}} pool */
function mean({ sum, count }) {
  return sum / count;
}
