/**
 * Where words go so that they cover nothing: the cheapest of a few places beside a point. Pure.
 *
 * @typedef {{left: number, right: number, top: number, bottom: number, weight?: number}} Box
 */

/** How dear it is to leave the sheet, against covering something on it. */
const OUTSIDE = 8;
/** Earlier places are liked better, by this share of the words' own area. */
const PREFERENCE = 0.015;

/**
 * @param {{width: number, height: number}} size
 * @param {[[number, number], number][]} places points, and the side (degrees, anticlockwise from the right)
 * @param {number} gap @param {Box[]} taken @param {{width: number, height: number}} sheet
 * @returns {{box: Box, cost: number}} the best place and what it covers
 */
export function placeLabel(size, places, gap, taken, sheet) {
  /** @type {{box: Box, cost: number, price: number}|null} */
  let best = null;
  places.forEach(([at, side], i) => {
    const box = nudged(beside(at, side, gap, size), gap / 2, sheet.width);
    const cost = outside(box, sheet) * OUTSIDE + taken.reduce((sum, other) => sum + (other.weight ?? 1) * shared(box, other), 0);
    const price = cost + i * PREFERENCE * size.width * size.height;
    if (!best || price < best.price) best = { box, cost, price };
  });
  return best;
}

/** A box that leaves `gap` free towards a point, on one side of it. @param {number[]} at @param {number} side @param {number} gap @param {{width: number, height: number}} size @returns {Box} */
function beside([x, y], side, gap, { width, height }) {
  const [dx, dy] = [Math.cos((side * Math.PI) / 180), -Math.sin((side * Math.PI) / 180)];
  // From a direction to a box: at a corner both edges touch, at a side only one does.
  const reach = Math.max(Math.abs(dx), Math.abs(dy)) || 1;
  const [cx, cy] = [x + dx * gap + (dx / reach) * (width / 2), y + dy * gap + (dy / reach) * (height / 2)];
  return { left: cx - width / 2, right: cx + width / 2, top: cy - height / 2, bottom: cy + height / 2 };
}

/** Back onto the sheet, if a small step does it. @param {Box} box @param {number} most @param {number} width @returns {Box} */
function nudged(box, most, width) {
  const step = Math.min(most, Math.max(0, -box.left)) - Math.min(most, Math.max(0, box.right - width));
  return { ...box, left: box.left + step, right: box.right + step };
}

/** @param {Box} a @param {Box} b */
function shared(a, b) {
  const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return wide > 0 && high > 0 ? wide * high : 0;
}

/** How much of a box lies off the sheet. @param {Box} box @param {{width: number, height: number}} sheet */
function outside(box, { width, height }) {
  const whole = (box.right - box.left) * (box.bottom - box.top);
  return whole - shared(box, { left: 0, top: 0, right: width, bottom: height });
}
