/**
 * Polylines on the circle and the sphere: frames, admissible caps, arcs. Pure geometry.
 */

/** @param {number} count */
export function circlePoints(count) {
  const angles = [...Array(count + 1).keys()].map((i) => (2 * Math.PI * i) / count);
  return { x: angles.map(Math.cos), y: angles.map(Math.sin) };
}

/** The equator and two meridians, with gaps between them. @param {number} radius */
export function greatCircles(radius) {
  const { x, y } = circlePoints(96);
  const a = x.map((v) => v * radius);
  const b = y.map((v) => v * radius);
  const zero = a.map(() => 0);
  const join = (/** @type {number[][]} */ ...parts) =>
    parts.flatMap((part, i) => (i ? [null, ...part] : part));
  return { x: join(a, a, zero), y: join(b, zero, a), z: join(zero, b, b) };
}

/**
 * The cap of angular radius `radius` around a unit vector: on the circle an arc at `height`, on
 * the sphere a small circle.
 * @param {number[]} centre @param {number} radius radians @param {number} [height] from the origin
 * @param {number} [count]
 * @returns {number[][]}
 */
export function cap(centre, radius, height = 1, count = 64) {
  if (centre.length === 2) {
    const middle = Math.atan2(centre[1], centre[0]);
    return steps(count).map((t) => {
      const angle = middle + radius * (2 * t - 1);
      return [height * Math.cos(angle), height * Math.sin(angle)];
    });
  }
  const [u, v] = tangents(centre);
  return steps(count).map((t) => {
    const turn = 2 * Math.PI * t;
    const away = height * Math.sin(radius);
    return centre.map(
      (w, d) => height * Math.cos(radius) * w + away * (Math.cos(turn) * u[d] + Math.sin(turn) * v[d]),
    );
  });
}

/**
 * Part of the great circle that starts at `from` and passes `through`: from angle `start` to
 * angle `end` (radians).
 * @param {number[]} from @param {number[]} through unit vectors
 * @param {number} start @param {number} end @param {number} [height] @param {number} [count]
 * @returns {number[][]}
 */
export function arc(from, through, start, end, height = 1, count = 48) {
  const cosine = dot(from, through);
  let side = through.map((value, d) => value - cosine * from[d]);
  const length = Math.sqrt(dot(side, side));
  side = length > 1e-9 ? side.map((v) => v / length) : tangents(from)[0];
  return steps(count).map((t) => {
    const angle = start + (end - start) * t;
    return from.map((w, d) => height * (Math.cos(angle) * w + Math.sin(angle) * side[d]));
  });
}

/** Two unit vectors across `centre` and each other (for 2-D, the one). @param {number[]} centre */
export function tangents(centre) {
  if (centre.length === 2) return [[-centre[1], centre[0]]];
  const helper = Math.abs(centre[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0];
  const u = cross(helper, centre);
  const length = Math.sqrt(dot(u, u));
  const unit = u.map((value) => value / length);
  return [unit, cross(centre, unit)];
}

/** @param {number[]} a @param {number[]} b */
function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** @param {number[]} a @param {number[]} b */
function dot(a, b) {
  return a.reduce((sum, value, d) => sum + value * b[d], 0);
}

/** @param {number} count */
function steps(count) {
  return [...Array(count + 1).keys()].map((i) => i / count);
}
