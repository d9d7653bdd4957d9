/**
 * What is drawn on the canvas of the prototypes and the space they are in: arrows with their labels,
 * admissible caps, outline and rings. Draws; decides nothing.
 *
 * @typedef {import("./project.js").Projection} Projection
 * @typedef {Object} Drawing
 * @property {CanvasRenderingContext2D} context
 * @property {Projection} projection
 * @property {Float32Array} prototypes  unit rows
 * @property {string[]} names
 * @property {any} colors
 * @property {boolean} flat       on the circle or sphere (else in open space)
 * @property {number[]|null} [only] the classes whose prototypes are drawn; all where left out
 * @property {number} size        the stage's side, pixels
 * @property {number} font        pixels
 */
import { classColor, darker, withAlpha } from "./palette.js";
import { INNER } from "./project.js";
import { cap } from "./shapes.js";

const BAND = [1.045, 1.08];
/** Where the arrow of a prototype ends on the sphere. */
export const TIP = 1.17;
const out = new Float64Array(3);

/** One row of (C, D). @param {Drawing} d @param {number} c */
export function prototypeRow(d, c) {
  const { dim } = d.projection;
  return [...d.prototypes.subarray(c * dim, (c + 1) * dim)];
}

/** @param {Drawing} d @param {number[]} p */
export function pixel(d, p) {
  d.projection.put(p[0], p[1], p[2] ?? 0, out);
  return [out[0], out[1]];
}

/** @param {Drawing} d @param {number[]} p */
export function hides(d, p) {
  return d.projection.hidden(p[0], p[1], p[2] ?? 0);
}

/**
 * Admissible caps. `radius` 0 means that the margin does not fit: the whole sector is hatched red.
 * @param {Drawing} d @param {number} radius @param {number} packing radians
 */
export function drawCaps(d, radius, packing) {
  const bad = radius <= 0;
  const shown = bad ? packing / 2 : radius;
  for (let c = 0; c < d.names.length; c += 1) {
    const color = bad ? d.colors.warn : classColor(c);
    if (d.projection.dim === 2) drawBand(d, prototypeRow(d, c), shown, color, bad);
    else drawSmallCircle(d, prototypeRow(d, c), shown, color, bad);
  }
}

/** @param {Drawing} d @param {number[]} centre @param {number} radius @param {string} color @param {boolean} bad */
function drawBand(d, centre, radius, color, bad) {
  const { context } = d;
  const [cx, cy] = pixel(d, [0, 0]);
  const unit = d.projection.scale;
  const middle = -Math.atan2(centre[1], centre[0]);
  if (!bad) {
    context.beginPath();
    context.moveTo(cx, cy);
    context.arc(cx, cy, unit, middle - radius, middle + radius);
    context.fillStyle = withAlpha(color, d.colors.wedge);
    context.fill();
  }
  context.lineCap = "butt";
  context.lineWidth = (BAND[1] - BAND[0]) * unit * (bad ? 0.55 : 1);
  context.strokeStyle = bad ? withAlpha(color, 0.8) : color;
  context.setLineDash(bad ? [2.5, 5] : []);
  context.beginPath();
  context.arc(cx, cy, ((BAND[0] + BAND[1]) / 2) * unit, middle - radius, middle + radius);
  context.stroke();
  context.setLineDash([]);
}

/** @param {Drawing} d @param {number[]} centre @param {number} radius @param {string} color @param {boolean} bad */
function drawSmallCircle(d, centre, radius, color, bad) {
  const { context } = d;
  const points = cap(centre, radius, 1.002, 72);
  const seen = points.map((p) => !hides(d, p));
  if (!seen.some(Boolean)) return;
  const at = points.map((p) => pixel(d, p));
  if (!bad && seen.every(Boolean)) {
    trace(context, at);
    context.fillStyle = withAlpha(color, d.colors.wedge * 1.4);
    context.fill();
  }
  context.lineWidth = bad ? 1.6 : 2;
  context.strokeStyle = bad ? withAlpha(color, 0.8) : color;
  context.setLineDash(bad ? [3, 5] : []);
  context.beginPath();
  at.forEach(([x, y], i) => {
    if (seen[i] && i > 0 && seen[i - 1]) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  context.stroke();
  context.setLineDash([]);
}

/** @param {CanvasRenderingContext2D} context @param {number[][]} at */
function trace(context, at) {
  context.beginPath();
  for (const [x, y] of at) context.lineTo(x, y);
}

/** The outline of the sphere. @param {Drawing} d */
export function drawOutline(d) {
  const { context } = d;
  const [x, y] = pixel(d, [0, 0, 0]);
  context.beginPath();
  context.arc(x, y, d.projection.scale * INNER, 0, 2 * Math.PI);
  context.lineWidth = 1.2;
  context.strokeStyle = d.colors.rim;
  context.stroke();
}

/** Prototype arrows. @param {Drawing} d */
export function drawArrows(d) {
  const three = d.projection.dim === 3;
  for (let c = 0; c < d.names.length; c += 1) {
    if (d.only && !d.only.includes(c)) continue;
    const w = prototypeRow(d, c);
    const [low, high] = three && d.flat ? [1.0, TIP] : [0, three || d.flat ? 0.97 : 1.04];
    const tip = w.map((v) => v * high);
    if (three && d.flat && hides(d, tip)) continue;
    let foot = w.map((v) => v * low);
    if (three && d.flat && hides(d, foot)) foot = w.map((v) => v * (low + high) * 0.5);
    const color = three && d.flat ? darker(classColor(c), 0.2) : classColor(c);
    drawArrow(d, pixel(d, foot), pixel(d, tip), color, three && d.flat ? 3 : 2);
  }
}

/** @param {Drawing} d @param {number[]} from @param {number[]} to @param {string} color @param {number} width @param {number[]} [dash] */
export function drawArrow(d, from, to, color, width, dash = []) {
  const { context } = d;
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const head = Math.min(length, 3.2 * width + 4);
  if (length < 0.5) return;
  const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const neck = [to[0] - ux * head, to[1] - uy * head];
  const side = head * 0.45;
  const left = [neck[0] - uy * side, neck[1] + ux * side];
  const right = [neck[0] + uy * side, neck[1] - ux * side];
  context.lineCap = context.lineJoin = "round";
  // A light edge first: the arrow stays visible among samples of its own colour.
  for (const [tone, extra] of width > 2 ? [[d.colors.halo, 2.5], [color, 0]] : [[color, 0]]) {
    context.strokeStyle = context.fillStyle = /** @type {string} */ (tone);
    context.lineWidth = width + Number(extra);
    trace(context, [from, neck]);
    context.setLineDash(extra ? [] : dash);
    context.stroke();
    context.setLineDash([]);
    trace(context, [to, left, right]);
    context.closePath();
    if (extra) context.stroke();
    context.fill();
  }
}

/** Names at the prototypes; one that would cover another is left out. @param {Drawing} d */
export function drawLabels(d) {
  const { context } = d;
  const three = d.projection.dim === 3;
  const height = three && d.flat ? 1.25 : d.flat ? 1.17 : 1.12;
  context.font = `600 ${d.font}px ${d.colors.family}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  /** @type {number[][]} */
  const taken = [];
  for (let c = 0; c < d.names.length; c += 1) {
    if (d.only && !d.only.includes(c)) continue;
    const w = prototypeRow(d, c);
    const place = w.map((v) => v * height);
    if (three && d.flat && hides(d, w.map((v) => v * TIP))) continue;
    const name = shorten(d.names[c]);
    const half = context.measureText(name).width / 2 + 2;
    let [x, y] = pixel(d, place);
    x = Math.min(d.size - half - 2, Math.max(half + 2, x));
    y = Math.min(d.size - d.font * 0.6, Math.max(d.font * 0.6, y));
    if (taken.some(([a, b, r]) => Math.abs(a - x) < r + half && Math.abs(b - y) < d.font)) continue;
    taken.push([x, y, half]);
    context.lineWidth = 4;
    context.strokeStyle = d.colors.halo;
    context.strokeText(name, x, y);
    context.fillStyle = d.colors.ink;
    context.fillText(name, x, y);
  }
}

/** @param {string} name */
function shorten(name) {
  return name.length > 14 ? `${name.slice(0, 13)}…` : name;
}

/** Rings that say how long embeddings are where they keep their length. @param {Drawing} d @param {number} radius of the longest */
export function drawRings(d, radius) {
  if (d.projection.dim === 3 || !(radius > 0)) return;
  const { context } = d;
  const [cx, cy] = pixel(d, [0, 0]);
  const power = 10 ** Math.floor(Math.log10(radius / 2));
  const step = [5, 2, 1].map((k) => k * power).find((v) => radius / v >= 2) ?? power;
  context.strokeStyle = withAlpha(d.colors.mute, 0.28);
  context.fillStyle = d.colors.mute;
  context.lineWidth = 1;
  context.font = `${Math.round(d.font * 0.8)}px ${d.colors.family}`;
  context.textAlign = "left";
  context.textBaseline = "bottom";
  for (let value = step; value <= radius * 1.02; value += step) {
    const r = (value / radius) * d.projection.scale;
    context.beginPath();
    context.arc(cx, cy, r, 0, 2 * Math.PI);
    context.stroke();
    context.fillText(String(Number(value.toPrecision(3))), cx + r * Math.SQRT1_2 + 3, cy - r * Math.SQRT1_2 - 2);
  }
}
