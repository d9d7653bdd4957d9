/**
 * What lies under the pointer: finds the nearest visible sample on screen, in motion and at rest,
 * shows its picture and its angles; a click pins it. Text enters as text only.
 */
import { h } from "./dom.js";
import { angleBetween } from "./store.js";
import { pretendedAngle } from "./formula.js";
import { classColor } from "./palette.js";
import { decimal } from "./words.js";

const REACH = 16;
const PICTURE = 72;

export class Hover {
  /**
   * @param {HTMLElement} area @param {HTMLElement} tip @param {import("./stage.js").Stage} stage
   * @param {import("./cell.js").Cell} cell the one of its cells that the area shows
   * @param {import("./words.js").Words} words @param {string} lang
   * @param {(sample: number|null) => void} [pinned] hears of every click
   */
  constructor(area, tip, stage, cell, words, lang, pinned = () => {}) {
    this.area = area;
    this.tip = tip;
    this.stage = stage;
    this.cell = cell;
    this.tell = pinned;
    this.words = words;
    this.lang = lang;
    /** @type {number|undefined} whose picture is on show */
    this.shownPicture = undefined;
    /** @type {{x: number, y: number}|null} */
    this.pointer = null;
    this.#build();
    this.listeners = new AbortController();
    const options = { capture: true, signal: this.listeners.signal };
    // On the window: while it drags, Plotly covers the page and the area sees nothing leave.
    window.addEventListener("pointermove", (event) => this.#move(event), options);
    area.addEventListener("pointerleave", (event) => event.target === area && this.#leave(), options);
    area.addEventListener("pointerdown", (event) => (this.pressed = this.#at(event)), options);
    window.addEventListener("pointerup", (event) => this.#click(event), options);
    document.addEventListener("pointerdown", (event) => {
      const alone = this.stage.cells.length === 1; // beside others, the rest of the page speaks of the sample
      if (this.pinned && alone && !area.contains(/** @type {Node} */ (event.target))) this.release();
    }, options);
  }

  /** Whether a click in this area holds the sample. */
  get pinned() {
    return this.stage.pinnedBy === this;
  }

  #build() {
    const row = () => ({ name: h("span"), value: h("b") });
    this.picture = h("div", { class: "fv-tip-picture" });
    this.name = h("strong");
    this.index = h("span", { class: "fv-tip-index" });
    this.rows = [row(), row(), row()];
    this.hint = h("div", { class: "fv-tip-hint" });
    const lines = this.rows.map(({ name, value }) => h("div", { class: "fv-tip-row" }, name, value));
    const text = h("div", { class: "fv-tip-text" }, h("div", {}, this.name, this.index), ...lines, this.hint);
    this.tip.replaceChildren(this.picture, text);
  }

  /** @param {PointerEvent} event */
  #at(event) {
    const box = this.area.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const inside = this.area.contains(/** @type {Node} */ (event.target));
    if (!inside && !this.pointer) return;
    this.pointer = inside && !event.buttons ? this.#at(event) : null;
    if (!this.stage.pinnedBy) this.#look();
  }

  #leave() {
    this.pointer = null;
    if (!this.stage.pinnedBy) this.#look();
  }

  /** @param {PointerEvent} event */
  #click(event) {
    const pressed = this.pressed;
    this.pressed = null;
    if (!pressed) return;
    const at = this.#at(event);
    if (Math.hypot(at.x - pressed.x, at.y - pressed.y) > 4) return; // a drag, not a click
    const found = this.#nearest(at);
    const hold = found !== null && !(this.pinned && found === this.stage.focus);
    this.stage.pinnedBy?.hide();
    this.stage.pinnedBy = hold ? this : null;
    this.pointer = at;
    this.#focus(found);
    this.tell(hold ? found : null);
  }

  /** Let a pinned sample go. */
  release() {
    if (!this.pinned) return;
    this.stage.pinnedBy = null;
    this.tell(null);
    this.#look();
  }

  /** Another area takes over. */
  hide() {
    this.tip.hidden = true;
    this.area.classList.remove("fv-on-sample");
  }

  /** The picture has moved on. */
  follow() {
    if (this.pinned) {
      this.#write();
      return;
    }
    if (!this.pointer || this.stage.pinnedBy) return;
    const found = this.#nearest(this.pointer);
    if (found !== this.stage.focus) this.#focus(found);
    else if (found !== null) this.#write();
  }

  #look() {
    const found = this.pointer ? this.#nearest(this.pointer) : null;
    if (found !== this.stage.focus) this.#focus(found);
  }

  /** @param {number|null} index */
  #focus(index) {
    this.stage.focus = index;
    this.area.classList.toggle("fv-on-sample", index !== null);
    this.stage.invalidate();
    if (index === null) this.tip.hidden = true;
    else this.#write();
  }

  /** @param {{x: number, y: number}} at @returns {number|null} */
  #nearest(at) {
    const { xy, hidden } = this.cell.layer;
    let best = REACH * REACH;
    let found = null;
    for (let i = 0; i < hidden.length; i += 1) {
      if (hidden[i]) continue;
      const dx = xy[2 * i] - at.x;
      const dy = xy[2 * i + 1] - at.y;
      const square = dx * dx + dy * dy;
      if (square < best) [best, found] = [square, i];
    }
    return found;
  }

  #write() {
    const i = this.stage.focus;
    if (i === null) return;
    const { run, layer } = this.cell;
    this.tip.hidden = Boolean(layer.hidden[i]);
    const label = run.labels[i];
    const unseen = label >= run.class_names.length;
    this.name.textContent = (unseen ? run.unseen_names[label - run.class_names.length] : run.class_names[label]) ?? String(label);
    this.name.style.setProperty("--fv-class", classColor(label));
    const held = run.heldOut?.[i] ? ` · ${this.words(unseen ? "tip_unseen" : "tip_held")}` : "";
    this.index.textContent = `${this.words("tip_sample", { index: i })}${held}`;
    this.hint.textContent = this.words(this.pinned ? "tip_unpin" : "tip_pin");
    this.#writeAngles(i, label);
    this.#showPicture(i);
    this.#place(layer.xy[2 * i], layer.xy[2 * i + 1]);
  }

  /** @param {number} i @param {number} label */
  #writeAngles(i, label) {
    const { run, player, margin, caps, member } = this.cell;
    const { points, prototypes } = player.picture;
    if (run.projection) {
      this.#writeProjected(i, label);
      return;
    }
    const known = label < run.class_names.length;
    const own = known ? angleBetween(points, i, prototypes, label, run.dim) : NaN;
    let next = -1;
    let least = Infinity;
    for (let c = 0; c < run.class_names.length; c += 1) {
      const angle = c === label ? Infinity : angleBetween(points, i, prototypes, c, run.dim);
      if (angle < least) [least, next] = [angle, c];
    }
    const seen = pretendedAngle(own, margin, run.members[member].tail);
    this.#row(0, known ? this.words("tip_own") : "", this.#degrees(own));
    this.#row(1, next < 0 ? "" : this.words("tip_next", { name: run.class_names[next] }), this.#degrees(least));
    const pretends = caps && known && seen > own + 1e-3;
    this.#row(2, pretends ? this.words("tip_pretended") : "", this.#degrees(seen));
  }

  /** Of many dimensions: the angles that the projection keeps, those to the three prototypes. @param {number} i @param {number} label */
  #writeProjected(i, label) {
    const { run, player } = this.cell;
    const { points, prototypes } = player.picture;
    const chosen = this.cell.spanned ? run.projection.classes : [];
    [0, 1, 2].forEach((place) => {
      const c = chosen[place];
      const cosine = c === undefined ? 0 : [0, 1, 2].reduce((sum, d) => sum + points[3 * i + d] * prototypes[3 * c + d], 0);
      const name = c === undefined ? "" : c === label ? this.words("tip_own") : this.words("tip_to", { name: run.class_names[c] });
      this.#row(place, name, this.#degrees(Math.acos(Math.min(1, Math.max(-1, cosine)))));
    });
  }

  /** @param {number} place @param {string} name @param {string} value */
  #row(place, name, value) {
    const row = this.rows[place];
    row.name.textContent = name;
    row.value.textContent = name ? value : "";
  }

  /** @param {number} angle radians */
  #degrees(angle) {
    return this.words("degrees", { value: decimal((angle * 180) / Math.PI, this.lang, 1) });
  }

  /** @param {number} i */
  #showPicture(i) {
    const { sprite, points } = this.cell.run;
    this.picture.hidden = !sprite;
    if (!sprite || this.shownPicture === i) return;
    this.shownPicture = i;
    const rows = Math.ceil(points / sprite.columns);
    const { style } = this.picture;
    style.backgroundImage = `url("${encodeURI(sprite.url)}")`;
    style.backgroundSize = `${sprite.columns * PICTURE}px ${rows * PICTURE}px`;
    style.backgroundPosition = `${-(i % sprite.columns) * PICTURE}px ${-Math.floor(i / sprite.columns) * PICTURE}px`;
  }

  /** Outside the circle as seen from the sample: the arc to its prototype stays in view. @param {number} x @param {number} y */
  #place(x, y) {
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const side = this.area.clientWidth;
    const own = this.area.getBoundingClientRect();
    const page = (this.area.closest(".fv-root") ?? this.area).getBoundingClientRect();
    const [first, last] = [page.left - own.left, page.right - own.left - width];
    const left = Math.min(Math.max(first, x < side / 2 ? x - 18 - width : x + 18), Math.max(first, last));
    const top = Math.max(0, y < side / 2 ? y - 18 - height : y + 18);
    const covers = left < x + 8 && left + width > x - 8 && top < y + 8 && top + height > y - 8;
    const final = covers ? y + 18 : top;
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(final)}px)`;
  }

  dispose() {
    this.listeners.abort();
    this.tip.hidden = true;
    this.area.classList.remove("fv-on-sample");
  }
}
