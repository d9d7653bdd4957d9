/**
 * The light canvas over Plotly: projects every sample and draws those in motion. It is handed a
 * projection and a picture and knows nothing of where they come from.
 *
 * @typedef {import("./project.js").Projection} Projection
 */
import { classColor, classShape, darker } from "./palette.js";

export class Layer {
  /** @param {HTMLCanvasElement} canvas @param {{labels: number[], heldOut: number[]|null}} run */
  constructor(canvas, run) {
    this.canvas = canvas;
    // Where compositing is in software, a canvas in plain memory is the fast one.
    this.context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext("2d", { willReadFrequently: true })
    );
    this.run = run;
    const count = run.labels.length;
    /** Pixel positions, two per sample. */
    this.xy = new Float32Array(2 * count);
    this.depth = new Float32Array(count);
    this.hidden = new Uint8Array(count);
    /** Samples that are not to be seen at all. @type {Uint8Array|null} */
    this.absent = null;
    /** @type {Map<number, HTMLCanvasElement>} */
    this.sprites = new Map();
    this.order = Uint32Array.from({ length: count }, (_, i) => i);
    this.ratio = 1;
    this.marker = 6;
    this.hollow = "#ffffff";
    this.width = 0;
    this.height = 0;
  }

  /** @param {number} marker diameter of a sample, CSS pixels @param {string} hollow what shows through one that did not train */
  setMarker(marker, hollow) {
    if (marker === this.marker && hollow === this.hollow) return;
    this.marker = marker;
    this.hollow = hollow;
    this.sprites.clear();
  }

  /** @param {number} width @param {number} height CSS pixels @param {number} [ratio] device pixels per CSS pixel */
  resize(width, height, ratio = globalThis.devicePixelRatio || 1) {
    if (width === this.width && height === this.height && ratio === this.ratio) return;
    [this.width, this.height, this.ratio] = [width, height, ratio];
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.sprites.clear();
  }

  clear() {
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.context.clearRect(0, 0, this.width, this.height);
  }

  /** Where every sample is on screen, and whether it can be seen. @param {Projection} projection @param {Float32Array} points */
  project(projection, points) {
    const out = new Float64Array(3);
    const three = projection.dim === 3;
    for (let i = 0; i < this.hidden.length; i += 1) {
      const at = i * projection.dim;
      const z = three ? points[at + 2] : 0;
      projection.put(points[at], points[at + 1], z, out);
      this.xy[2 * i] = out[0];
      this.xy[2 * i + 1] = out[1];
      this.depth[i] = out[2];
      this.hidden[i] = this.absent?.[i] ? 1 : three && projection.hidden(points[at], points[at + 1], z) ? 1 : 0;
    }
  }

  /**
   * Stamps ready-made markers on whole device pixels: each exists in four versions, moved by half
   * a pixel, which is as exact as blending (within a quarter pixel) and a third cheaper.
   * @param {boolean} byDepth whether nearer samples must cover farther ones
   */
  drawPoints(byDepth) {
    const { labels, heldOut } = this.run;
    const { context, ratio } = this;
    const half = this.#side() / 2;
    if (byDepth) this.order.sort((a, b) => this.depth[b] - this.depth[a]);
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (const i of this.order) {
      if (this.hidden[i]) continue;
      const x = Math.round(this.xy[2 * i] * ratio * 2) / 2;
      const y = Math.round(this.xy[2 * i + 1] * ratio * 2) / 2;
      const left = Math.floor(x);
      const top = Math.floor(y);
      const sprite = this.#sprite(labels[i], Boolean(heldOut && heldOut[i]), x > left, y > top);
      context.drawImage(sprite, left - half, top - half);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** Side of a sprite, an even number of device pixels. */
  #side() {
    return 2 * Math.ceil(((this.marker + 2) * this.ratio) / 2 + 1);
  }

  /** A class's marker, drawn once. @param {number} label @param {boolean} hollow @param {boolean} right @param {boolean} low half a pixel on */
  #sprite(label, hollow, right, low) {
    const key = 8 * label + 4 * Number(hollow) + 2 * Number(right) + Number(low);
    const known = this.sprites.get(key);
    if (known) return known;
    const sprite = document.createElement("canvas");
    const side = this.#side();
    sprite.width = sprite.height = side;
    const context = /** @type {CanvasRenderingContext2D} */ (
      sprite.getContext("2d", { willReadFrequently: true })
    );
    context.translate(side / 2 + (right ? 0.5 : 0), side / 2 + (low ? 0.5 : 0));
    context.scale(this.ratio, this.ratio);
    const color = classColor(label);
    context.fillStyle = hollow ? this.hollow : color;
    context.strokeStyle = hollow ? color : darker(color);
    context.lineWidth = this.run.heldOut ? 1.4 : 0.8;
    markerPath(context, classShape(label), this.marker / 2);
    context.fill();
    context.stroke();
    this.sprites.set(key, sprite);
    return sprite;
  }
}

/** Plotly's symbols around the origin. @param {CanvasRenderingContext2D} context @param {string} shape @param {number} r */
function markerPath(context, shape, r) {
  context.beginPath();
  if (shape === "circle") context.arc(0, 0, r, 0, 2 * Math.PI);
  else if (shape === "square") context.rect(-r, -r, 2 * r, 2 * r);
  else {
    const corners = shape === "diamond" ? diamond(r * 1.3) : plus(r * 1.2, r * 0.4);
    for (const [x, y] of corners) context.lineTo(x, y);
    context.closePath();
  }
}

/** @param {number} r */
const diamond = (r) => [[r, 0], [0, r], [-r, 0], [0, -r]];

/** @param {number} r @param {number} w */
const plus = (r, w) => [
  [r, w], [w, w], [w, r], [-w, r], [-w, w], [-r, w],
  [-r, -w], [-w, -w], [-w, -r], [w, -r], [w, -w], [r, -w],
];
