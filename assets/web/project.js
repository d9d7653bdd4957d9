/**
 * From data coordinates to pixels of the stage: Plotly's 2-D axes and 3-D camera, computed the way
 * Plotly computes them, and what the opaque inner sphere hides. Pure: it is handed numbers only.
 *
 * @typedef {Object} Projection
 * @property {number} dim
 * @property {(x: number, y: number, z: number, out: Float64Array) => void} put
 *           writes pixel x, pixel y and depth (smaller is nearer) into `out`
 * @property {(x: number, y: number, z: number) => boolean} hidden  behind the inner sphere
 * @property {number} scale  pixels per unit of data, about
 */

/** Radius of the opaque sphere inside the unit sphere. */
export const INNER = 0.985;

/**
 * @param {number[]} xRange @param {number[]} yRange
 * @param {{left: number, top: number, width: number, height: number}} box the axes' pixels
 * @returns {Projection}
 */
export function planeProjection(xRange, yRange, box) {
  const sx = box.width / (xRange[1] - xRange[0]);
  const sy = -box.height / (yRange[1] - yRange[0]);
  const ox = box.left - xRange[0] * sx;
  const oy = box.top + box.height - yRange[0] * sy;
  return {
    dim: 2,
    scale: sx,
    put: (x, y, _z, out) => {
      out[0] = ox + x * sx;
      out[1] = oy + y * sy;
      out[2] = 0;
    },
    hidden: () => false,
  };
}

/**
 * @param {{projection: ArrayLike<number>, view: ArrayLike<number>, model: ArrayLike<number>}} camera
 *        column-major 4×4 matrices, as WebGL has them
 * @param {ArrayLike<number>} dataScale factors on x, y, z before the model matrix
 * @param {number} width @param {number} height pixels of the stage
 * @param {boolean} opaque whether the inner sphere hides what is behind it
 * @returns {Projection|null} null if the matrix cannot be inverted
 */
export function cameraProjection(camera, dataScale, width, height, opaque) {
  const m = multiply(camera.projection, multiply(camera.view, camera.model));
  for (let i = 0; i < 12; i += 1) m[i] *= dataScale[i >> 2];
  const inverse = invert(m);
  if (!inverse) return null;
  // The eye is the one point that the camera cannot place: it maps to x = y = w = 0.
  const eye = inverse.subarray(8, 12);
  const far = Math.abs(eye[3]) < 1e-9;
  const sign = far ? -1 : 1 / eye[3];
  const at = [eye[0] * sign, eye[1] * sign, eye[2] * sign];
  /** @type {(x: number, y: number, z: number, out: Float64Array) => void} */
  const put = (x, y, z, out) => {
    const w = m[3] * x + m[7] * y + m[11] * z + m[15];
    out[0] = ((m[0] * x + m[4] * y + m[8] * z + m[12]) / w + 1) * 0.5 * width;
    out[1] = (1 - (m[1] * x + m[5] * y + m[9] * z + m[13]) / w) * 0.5 * height;
    out[2] = (m[2] * x + m[6] * y + m[10] * z + m[14]) / w;
  };
  /** @type {(x: number, y: number, z: number) => boolean} */
  const hidden = (x, y, z) =>
    opaque && behind(x, y, z, far ? at[0] : at[0] - x, far ? at[1] : at[1] - y, far ? at[2] : at[2] - z);
  return { dim: 3, put, hidden, scale: pixelsPerUnit(m, width) };
}

/** Whether the way from a point towards (dx, dy, dz) meets the inner sphere. */
function behind(
  /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ z,
  /** @type {number} */ dx, /** @type {number} */ dy, /** @type {number} */ dz,
) {
  const along = x * dx + y * dy + z * dz;
  if (along >= 0) return false;
  const square = dx * dx + dy * dy + dz * dz;
  return along * along - square * (x * x + y * y + z * z - INNER * INNER) > 0;
}

/** Pixels per unit at the origin, across the view. @param {Float64Array} m @param {number} width */
function pixelsPerUnit(m, width) {
  return (Math.hypot(m[0], m[4], m[8]) / Math.abs(m[15])) * 0.5 * width;
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b column-major 4×4 */
export function multiply(a, b) {
  const out = new Float64Array(16);
  for (let column = 0; column < 4; column += 1) {
    for (let row = 0; row < 4; row += 1) {
      let sum = 0;
      for (let k = 0; k < 4; k += 1) sum += a[k * 4 + row] * b[column * 4 + k];
      out[column * 4 + row] = sum;
    }
  }
  return out;
}

/** Gauss–Jordan with pivoting. @param {ArrayLike<number>} matrix column-major 4×4 */
export function invert(matrix) {
  const rows = [0, 1, 2, 3].map((row) =>
    [0, 1, 2, 3].map((c) => matrix[c * 4 + row]).concat([0, 1, 2, 3].map((c) => Number(c === row))),
  );
  for (let column = 0; column < 4; column += 1) {
    const left = [column, column + 1, column + 2, column + 3].filter((r) => r < 4);
    const pivot = left.reduce((a, b) =>
      Math.abs(rows[a][column]) >= Math.abs(rows[b][column]) ? a : b,
    );
    if (Math.abs(rows[pivot][column]) < 1e-14) return null;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    const head = rows[column][column];
    rows[column] = rows[column].map((value) => value / head);
    for (let row = 0; row < 4; row += 1) {
      const factor = rows[row][column];
      if (row !== column) rows[row] = rows[row].map((v, c) => v - factor * rows[column][c]);
    }
  }
  const out = new Float64Array(16);
  for (let row = 0; row < 4; row += 1) for (let c = 0; c < 4; c += 1) out[c * 4 + row] = rows[row][4 + c];
  return out;
}
