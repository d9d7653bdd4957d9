/**
 * A drawing in real pixels for the lessons' diagrams: lines, arrows and markers behind, handles in
 * front, words on top. What is drawn is made anew each time; handles stay, so that they keep focus
 * and finger. Knows no losses.
 *
 * @typedef {[number, number]} Point
 */
import { svg } from "../dom.js";
import { classColor, darker } from "../palette.js";
import { placeLabel } from "./labels.js";

const LEAST = 220;
const TURNS = [...Array(12).keys()].map((i) => 30 * i);

export class Sketch {
  /**
   * @param {HTMLElement} host @param {string} label what a screen reader says of it
   * @param {{ratio: number, room?: () => number}} options height over width; how high it may be
   */
  constructor(host, label, { ratio, room }) {
    this.host = host;
    this.ratio = ratio;
    this.room = room;
    this.back = svg("g", { "aria-hidden": "true" });
    this.handles = svg("g");
    this.front = svg("g", { class: "fv-sketch-words", "aria-hidden": "true" });
    this.el = svg("svg", { class: "fv-sketch", role: "group", "aria-label": label }, this.back, this.handles, this.front);
    host.append(this.el);
    this.width = 0;
  }

  /** The room has changed. */
  fit() {
    const width = this.host.clientWidth;
    if (!width) return;
    this.em = parseFloat(getComputedStyle(this.host).fontSize) || 14;
    this.width = width;
    this.height = Math.round(Math.max(LEAST, Math.min(width * this.ratio, this.room?.() ?? Infinity)));
    this.el.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.el.setAttribute("height", String(this.height));
  }

  /** A clean sheet; false where there is no room to draw in. */
  begin() {
    if (!this.width) this.fit();
    if (!this.width) return false;
    this.back.replaceChildren();
    this.front.replaceChildren();
    /** @type {import("./labels.js").Box[]} what words must not cover */
    this.taken = [];
    return true;
  }

  /** @param {string} tag @param {Record<string, any>} props */
  add(tag, props) {
    const node = svg(tag, props);
    this.back.append(node);
    return node;
  }

  /** @param {Point} from @param {Point} to @param {string} look class names */
  line(from, to, look) {
    return this.add("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: look });
  }

  /** @param {Point[]} points @param {string} look @param {boolean} [closed] */
  path(points, look, closed) {
    const d = points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    return this.add("path", { d: closed ? `${d}Z` : d, class: look });
  }

  /** A shaft with a head, never longer than from here to there. @param {Point} from @param {Point} to @param {string} look */
  arrow(from, to, look) {
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const length = Math.hypot(dx, dy);
    if (length < 1) return;
    const head = Math.min(this.em * 0.85, length * 0.7);
    const [ux, uy] = [dx / length, dy / length];
    const neck = /** @type {Point} */ ([to[0] - ux * head, to[1] - uy * head]);
    const wing = (/** @type {number} */ side) => /** @type {Point} */ ([neck[0] - uy * head * 0.42 * side, neck[1] + ux * head * 0.42 * side]);
    this.line(from, neck, look);
    this.path([to, wing(1), wing(-1)], `${look} fv-head`, true);
    this.#block(from, to);
  }

  /** Words keep off a line of the drawing. @param {Point} from @param {Point} to */
  #block(from, to) {
    const parts = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / 10));
    for (let i = 0; i <= parts; i += 1) this.block(/** @type {Point} */ ([0, 1].map((d) => from[d] + ((to[d] - from[d]) * i) / parts)), 3, 0.4);
  }

  /** Words keep off a line that is drawn. @param {Point[]} points */
  blockPath(points) {
    points.slice(1).forEach((point, i) => this.#block(points[i], point));
  }

  /** Words keep off a point. @param {Point} at @param {number} reach @param {number} [weight] */
  block([x, y], reach, weight = 1) {
    this.taken.push({ left: x - reach, right: x + reach, top: y - reach, bottom: y + reach, weight });
  }

  /** Where words may go at last. @param {Point} at @returns {[Point, number][]} */
  #around([x, y]) {
    return [0.6, 1.5, 2.6].flatMap((out) => TURNS.map((turn) => {
      const angle = (turn * Math.PI) / 180;
      return /** @type {[Point, number]} */ ([[x + out * this.em * Math.cos(angle), y - out * this.em * Math.sin(angle)], turn]);
    }));
  }

  /** Words that somebody else places. @param {string} text @param {string} look @returns {SVGTextElement} */
  word(text, look) {
    const node = svg("text", { class: look, text });
    this.front.append(node);
    return node;
  }

  /**
   * Words beside a point, on the first side that is free.
   * @param {string} text @param {Point} at @param {number[]} sides degrees, anticlockwise from the right
   * @param {{look?: string, gap?: number, optional?: boolean, more?: [Point, number][]}} [options] `more`: other places
   */
  label(text, at, sides, { look = "", gap = 0.45, optional = false, more = [] } = {}) {
    const node = this.word(text, look);
    const size = { width: node.getComputedTextLength(), height: this.em * 1.1 };
    const places = [...sides.map((side) => /** @type {[Point, number]} */ ([at, side])), ...more, ...(optional ? [] : this.#around(at))];
    const { box, cost } = placeLabel(size, places, gap * this.em, this.taken, { width: this.width, height: this.height });
    if (optional && cost > 0.05 * size.width * size.height) {
      node.remove();
      return;
    }
    node.setAttribute("x", box.left.toFixed(1));
    node.setAttribute("y", (box.top + this.em * 0.88).toFixed(1));
    // Two texts side by side must not read as one.
    const apart = this.em * 0.35;
    this.taken.push({ ...box, left: box.left - apart, right: box.right + apart, weight: 8 });
  }
}

/** Markers: the shape tells apart what colour alone must not. @param {"circle"|"diamond"} shape @param {number} r */
export function markerPath(shape, r) {
  if (shape === "diamond") return `M0 ${-r * 1.25}L${r * 1.25} 0L0 ${r * 1.25}L${-r * 1.25} 0Z`;
  return `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`;
}

/** @param {number} label a class @returns {string} */
export function markerStyle(label) {
  return `fill:${classColor(label)};stroke:${darker(classColor(label))}`;
}
