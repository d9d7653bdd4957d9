/**
 * Binary frames of the stream: uint32 header length | JSON header | float32 prototypes (M, C, D)
 * | int16 points (M, N, D), little-endian; coordinate = value/32767·extent. Pure: it knows no DOM.
 * facevis/live/frames.py writes them.
 *
 * @typedef {Object} Shape
 * @property {number} members
 * @property {number} classes
 * @property {number} points
 * @property {number} dim
 *
 * @typedef {Object} Frame
 * @property {number} step
 * @property {number} time            unix milliseconds of its making; 0 for the backlog
 * @property {boolean} kept           part of the recording, else a passing live frame
 * @property {number[]} extent        per member
 * @property {(number|null)[]} losses per member
 * @property {Record<string, number|null>[]} statistics per member
 * @property {number[][]} margins     in force, per member
 * @property {number[]} scales
 * @property {number|null} applied    the last command trained in
 * @property {{own: number[], others: number[]}[]} [angles] of a projected run, per member: bars of 3 degrees in all dimensions
 * @property {number[]} [held]        of a projected run: the share of the squared length that is drawn
 * @property {Float32Array} prototypes (M, C, D)
 * @property {Int16Array} points       (M, N, D)
 * @property {number} bytes
 */

const FULL = 32767;

/**
 * @param {ArrayBuffer} buffer @param {Shape} shape
 * @returns {Frame}
 */
export function decodeFrame(buffer, shape) {
  const headerBytes = buffer.byteLength >= 4 ? new DataView(buffer).getUint32(0, true) : -1;
  const start = 4 + headerBytes;
  const prototypes = shape.members * shape.classes * shape.dim;
  const points = shape.members * shape.points * shape.dim;
  const expected = start + 4 * prototypes + 2 * points;
  if (headerBytes < 0 || headerBytes % 4 || buffer.byteLength !== expected) {
    throw new Error(`a frame of ${buffer.byteLength} bytes does not fit this run (${expected})`);
  }
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerBytes)));
  return {
    ...header,
    prototypes: new Float32Array(buffer, start, prototypes),
    points: new Int16Array(buffer, start + 4 * prototypes, points),
    bytes: buffer.byteLength,
  };
}

/**
 * One member's coordinates as floats, written into `into` (length N·D).
 * @param {Frame} frame @param {number} member @param {Float32Array} into
 */
export function readPoints(frame, member, into) {
  const unit = frame.extent[member] / FULL;
  const offset = member * into.length;
  for (let i = 0; i < into.length; i += 1) into[i] = frame.points[offset + i] * unit;
  return into;
}

/** @param {Frame} frame @param {number} member @param {Float32Array} into (length C·D) */
export function readPrototypes(frame, member, into) {
  into.set(frame.prototypes.subarray(member * into.length, (member + 1) * into.length));
  return into;
}

/**
 * A frame as the stream would send it, of what was computed here; `decodeFrame` reads it.
 * @param {{step: number, prototypes: ArrayLike<number>, points?: ArrayLike<number>, statistics?: any[], members?: number}} moment coordinates within −1…1
 * @returns {ArrayBuffer}
 */
export function encodeFrame({ step, prototypes, points = [], statistics, members = 1 }) {
  const each = (/** @type {any} */ value) => new Array(members).fill(value);
  /** @type {any} */
  const header = { step, time: 0, kept: true, extent: each(1), losses: each(null), statistics: statistics ?? each({}), margins: each([1, 0, 0]), scales: each(1), applied: null };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 4 + Math.ceil(text.length / 4) * 4;
  const buffer = new ArrayBuffer(start + 4 * prototypes.length + 2 * points.length);
  new DataView(buffer).setUint32(0, start - 4, true);
  new Uint8Array(buffer, 4, start - 4).fill(32).set(text);
  new Float32Array(buffer, start, prototypes.length).set(prototypes);
  new Int16Array(buffer, start + 4 * prototypes.length, points.length).set(Array.from(points, (value) => Math.round(Math.min(1, Math.max(-1, value)) * FULL)));
  return buffer;
}
