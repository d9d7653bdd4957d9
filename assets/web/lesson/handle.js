/**
 * A point to drag, by hand or by keys. It reports where it is wanted and knows no diagram.
 *
 * @typedef {Object} Grip
 * @property {string} label
 * @property {[number, number]} range @property {number} step
 * @property {(x: number, y: number) => number} from   the value under a place on the sheet
 * @property {(value: number) => void} moved
 */
import { svg } from "../dom.js";
import { clamp } from "../formula.js";
import { markerPath, markerStyle } from "./sketch.js";

/** Fingers need this much, whatever the marker's size. */
const TOUCH = 24;
const FAST = 10;
/** @type {Record<string, number>} */
const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

export class Handle {
  /** @param {import("./sketch.js").Sketch} sketch @param {Grip} grip */
  constructor(sketch, grip) {
    this.sketch = sketch;
    this.grip = grip;
    this.value = 0;
    this.ring = svg("circle", { class: "fv-handle-ring" });
    this.marker = svg("path", { class: "fv-marker" });
    const [low, high] = grip.range;
    this.el = svg("g", {
      class: "fv-handle", role: "slider", tabindex: 0, "aria-label": grip.label, "aria-valuemin": low, "aria-valuemax": high,
      onpointerdown: (/** @type {PointerEvent} */ e) => this.#take(e),
      onpointermove: (/** @type {PointerEvent} */ e) => this.#drag(e),
      onpointerup: () => this.#drop(),
      onpointercancel: () => this.#drop(),
      onlostpointercapture: () => this.#drop(),
      onkeydown: (/** @type {KeyboardEvent} */ e) => this.#key(e),
    }, svg("circle", { class: "fv-handle-touch", r: TOUCH }), this.ring, this.marker);
    sketch.handles.append(this.el);
  }

  /** @param {[number, number]} at @param {number} value @param {string} text as it is spoken @param {{shape: "circle"|"diamond", label: number}} look */
  place([x, y], value, text, { shape, label }) {
    const r = this.sketch.em * 0.55;
    this.value = value;
    this.el.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    this.el.setAttribute("aria-valuenow", String(value));
    this.el.setAttribute("aria-valuetext", text);
    this.ring.setAttribute("r", String(r * 1.75));
    this.marker.setAttribute("d", markerPath(shape, r));
    this.marker.setAttribute("style", markerStyle(label));
  }

  /** @param {PointerEvent} event */
  #take(event) {
    if (event.button) return;
    event.preventDefault();
    this.el.focus({ preventScroll: true });
    this.el.setPointerCapture(event.pointerId);
    this.held = true;
    this.el.classList.add("fv-held");
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!this.held) return;
    const { el, width, height } = this.sketch;
    const room = el.getBoundingClientRect();
    this.#want(this.grip.from(((event.clientX - room.left) * width) / room.width, ((event.clientY - room.top) * height) / room.height));
  }

  #drop() {
    this.held = false;
    this.el.classList.remove("fv-held");
  }

  /** Page keys are left to the clicker, which sends them. @param {KeyboardEvent} event */
  #key(event) {
    const { range, step } = this.grip;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Home" || event.key === "End") this.#want(range[event.key === "Home" ? 0 : 1]);
    else if (KEYS[event.key]) this.#want(this.value + KEYS[event.key] * step * (event.shiftKey ? FAST : 1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** On the slider's steps, so that a link and the slider can say the same. @param {number} value */
  #want(value) {
    const { range: [low, high], step, moved } = this.grip;
    if (!Number.isFinite(value)) return;
    const stepped = Number((low + Math.round((clamp(value, low, high) - low) / step) * step).toFixed(6));
    if (stepped !== this.value) moved(clamp(stepped, low, high));
  }
}
