/**
 * What is drawn on the canvas around the one sample that is looked at: a ring, the arc to its
 * prototype, what the next step does to it. Draws; decides nothing.
 *
 * @typedef {import("./adornments.js").Drawing} Drawing
 *
 * @typedef {Object} Push  what the next step does to a sample; each in data coordinates
 * @property {number[]|null} exact     where its gradient points
 * @property {number[]|null} detached  the same in the other mode, where it differs
 * @property {number[]|null} after     the sample after the step
 */
import { drawArrow, hides, pixel, prototypeRow } from "./adornments.js";
import { classColor, withAlpha } from "./palette.js";
import { arc } from "./shapes.js";

/**
 * The arc from the prototype to a sample, and on to where training pretends that it is.
 * @param {Drawing} d @param {number[]} sample any length @param {number} label
 * @param {number} angle @param {number} pretended radians
 */
export function drawMarginArc(d, sample, label, angle, pretended) {
  const { context } = d;
  const length = Math.hypot(...sample);
  if (length < 1e-6) return;
  const unit = sample.map((v) => v / length);
  const w = prototypeRow(d, label);
  const height = d.projection.dim === 3 ? 1.012 : 0.86;
  const color = classColor(label);
  drawArc(d, arc(w, unit, 0, angle, height), color, 3.5, []);
  if (pretended <= angle + 1e-3) return;
  const beyond = arc(w, unit, angle, pretended, height);
  drawArc(d, beyond, d.colors.accent, 3, [2, 5]);
  const ghost = beyond[beyond.length - 1];
  if (hides(d, ghost)) return;
  const [x, y] = pixel(d, ghost);
  context.beginPath();
  context.arc(x, y, 5.5, 0, 2 * Math.PI);
  context.fillStyle = d.colors.halo;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = d.colors.accent;
  context.stroke();
}

/** @param {Drawing} d @param {number[][]} points @param {string} color @param {number} width @param {number[]} dash */
function drawArc(d, points, color, width, dash) {
  const { context } = d;
  context.lineWidth = width;
  context.lineCap = "round";
  context.strokeStyle = color;
  context.setLineDash(dash);
  context.beginPath();
  let drawing = false;
  for (const p of points) {
    const [x, y] = pixel(d, p);
    const seen = !hides(d, p);
    if (seen && drawing) context.lineTo(x, y);
    else context.moveTo(x, y);
    drawing = seen;
  }
  context.stroke();
  context.setLineDash([]);
}

/** A ring around the sample under the pointer. @param {Drawing} d @param {number} x @param {number} y @param {number} radius */
export function drawFocus(d, x, y, radius) {
  const { context } = d;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = 5;
  context.strokeStyle = d.colors.halo;
  context.stroke();
  context.lineWidth = 2.5;
  context.strokeStyle = d.colors.ink;
  context.stroke();
}

/**
 * What the next step does to a sample: an arrow against its gradient (dashed: the detached mode),
 * a hollow dot where the step takes it.
 * @param {Drawing} d @param {number[]} sample @param {Push} push @param {number} radius of the longest embedding, 1 on the sphere
 */
export function drawPush(d, sample, push, radius) {
  const { context } = d;
  const at = pixel(d, sample);
  if (push.after) {
    const place = push.after.map((v) => v / (d.flat ? Math.hypot(...push.after) || 1 : radius));
    if (!hides(d, place)) {
      const [x, y] = pixel(d, place);
      context.beginPath();
      context.arc(x, y, 5, 0, 2 * Math.PI);
      context.fillStyle = withAlpha(d.colors.accent, 0.25);
      context.fill();
      context.lineWidth = 2;
      context.strokeStyle = d.colors.accent;
      context.stroke();
    }
  }
  for (const [vector, dash] of [[push.detached, [4, 4]], [push.exact, []]]) {
    if (!vector) continue;
    const tip = pixel(d, sample.map((v, i) => v + /** @type {number[]} */ (vector)[i]));
    drawArrow(d, at, tip, d.colors.ink, 3, /** @type {number[]} */ (dash));
  }
}
