/**
 * The ten colours of the classes and what tells classes apart beyond ten: the marker's shape.
 * Source: M. Petroff, "Accessible color sequences for data visualization", 2021 (ten colours).
 */

const TEN = [
  "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
  "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
];

/** Symbols that the canvas and both of Plotly's scatters have. */
const SHAPES = ["circle", "square", "diamond", "cross"];

/** @param {number} label */
export function classColor(label) {
  return TEN[label % TEN.length];
}

/** @param {number} label */
export function classShape(label) {
  return SHAPES[Math.floor(label / TEN.length) % SHAPES.length];
}

/** A colour mixed with black: the dark outline of its marker. @param {string} hex @param {number} [share] */
export function darker(hex, share = 0.45) {
  const parts = [1, 3, 5].map((at) => Math.round(parseInt(hex.slice(at, at + 2), 16) * (1 - share)));
  return `rgb(${parts.join(",")})`;
}

/** @param {string} hex @param {number} alpha */
export function withAlpha(hex, alpha) {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${parts.join(",")},${alpha})`;
}
