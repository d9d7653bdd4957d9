/**
 * The frames of a run by step: what belongs to the recording is kept, of the passing live frames
 * only the newest. Also the interpolation between two pictures. Pure: it knows no DOM.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {Object} Picture  what is on screen, for one member
 * @property {Float32Array} points      (N, D)
 * @property {Float32Array} prototypes  (C, D)
 */

export class FrameStore {
  constructor() {
    /** @type {Frame[]} in the order of their steps */
    this.kept = [];
    /** @type {Frame|null} the last to arrive live */
    this.newest = null;
  }

  clear() {
    this.kept = [];
    this.newest = null;
  }

  /** Take a frame; true if nothing with a later step is known. @param {Frame} frame */
  add(frame) {
    const last = !this.newest || frame.step >= this.newest.step;
    if (last) this.newest = frame;
    if (frame.kept) this.#keep(frame);
    return last;
  }

  /** @param {Frame} frame */
  #keep(frame) {
    const place = this.indexAt(frame.step);
    if (place >= 0 && this.kept[place].step === frame.step) this.kept[place] = frame;
    else this.kept.splice(place + 1, 0, frame);
  }

  /** The place of the last kept frame at or before `step`; −1 before the first. @param {number} step */
  indexAt(step) {
    let low = 0;
    let high = this.kept.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.kept[middle].step <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/**
 * Between two states: `share` of the way from `from` to `to`, written into `into`. On the sphere
 * the way is bent back to the sphere, so that nothing cuts through it.
 * @param {Float32Array} from @param {Float32Array} to @param {number} share
 * @param {number} dim @param {boolean} spherical @param {Float32Array} into
 */
export function interpolate(from, to, share, dim, spherical, into) {
  if (share >= 1) {
    into.set(to);
    return into;
  }
  for (let i = 0; i < to.length; i += dim) {
    let square = 0;
    for (let d = i; d < i + dim; d += 1) {
      into[d] = from[d] + (to[d] - from[d]) * share;
      square += into[d] * into[d];
    }
    if (!spherical || square < 1e-8) continue;
    const length = Math.sqrt(square);
    for (let d = i; d < i + dim; d += 1) into[d] /= length;
  }
  return into;
}

/** Every row to length one; a zero row stays. @param {Float32Array} rows @param {number} dim */
export function ontoSphere(rows, dim) {
  for (let i = 0; i < rows.length; i += dim) {
    let square = 0;
    for (let d = i; d < i + dim; d += 1) square += rows[d] * rows[d];
    if (square < 1e-16) continue;
    const length = Math.sqrt(square);
    for (let d = i; d < i + dim; d += 1) rows[d] /= length;
  }
  return rows;
}

/** The longest row. @param {Float32Array} rows @param {number} dim */
export function longestRow(rows, dim) {
  let longest = 0;
  for (let i = 0; i < rows.length; i += dim) {
    let square = 0;
    for (let d = i; d < i + dim; d += 1) square += rows[d] * rows[d];
    if (square > longest) longest = square;
  }
  return Math.sqrt(longest);
}

/**
 * The angle between each sample and its own prototype, radians; the middle one of them.
 * @param {Float32Array} points @param {Float32Array} prototypes @param {ArrayLike<number>} labels
 * @param {number} dim
 */
export function medianTargetAngle(points, prototypes, labels, dim) {
  const angles = targetAngles(points, prototypes, labels, dim).sort();
  return angles.length ? angles[angles.length >> 1] : NaN;
}

/**
 * The angle between each sample and its own prototype, radians; samples without one are left out.
 * @param {Float32Array} points @param {Float32Array} prototypes @param {ArrayLike<number>} labels
 * @param {number} dim
 */
export function targetAngles(points, prototypes, labels, dim) {
  const classes = prototypes.length / dim;
  const angles = new Float32Array(labels.length);
  let count = 0;
  for (let i = 0; i < labels.length; i += 1) {
    if (labels[i] < classes) angles[count++] = angleBetween(points, i, prototypes, labels[i], dim);
  }
  return angles.subarray(0, count);
}

/**
 * The angles between each sample and all other prototypes, radians.
 * @param {Float32Array} points @param {Float32Array} prototypes @param {ArrayLike<number>} labels
 * @param {number} dim
 */
export function otherAngles(points, prototypes, labels, dim) {
  const classes = prototypes.length / dim;
  const angles = new Float32Array(labels.length * classes);
  let count = 0;
  for (let i = 0; i < labels.length; i += 1) {
    if (labels[i] >= classes) continue;
    for (let c = 0; c < classes; c += 1) {
      if (c !== labels[i]) angles[count++] = angleBetween(points, i, prototypes, c, dim);
    }
  }
  return angles.subarray(0, count);
}

/**
 * The angle between row i of a and row j of b, radians (π/2 for a zero row).
 * @param {Float32Array} a @param {number} i @param {Float32Array} b @param {number} j
 * @param {number} dim
 */
export function angleBetween(a, i, b, j, dim) {
  let dot = 0;
  let left = 0;
  let right = 0;
  for (let d = 0; d < dim; d += 1) {
    const x = a[i * dim + d];
    const y = b[j * dim + d];
    dot += x * y;
    left += x * x;
    right += y * y;
  }
  const cosine = dot / Math.sqrt(Math.max(left * right, 1e-20));
  return Math.acos(Math.min(1, Math.max(-1, cosine)));
}
