/** Lesson 13: a run in 512 dimensions: its angles, and three of its identities on the sphere that their prototypes span. */
import { h } from "../dom.js";
import { statisticText } from "../caption.js";
import { histogramSpec } from "../charts.js";
import { decodeFrame, readPoints, readPrototypes } from "../protocol.js";
import { Placed } from "./placed.js";
import { Recorded } from "./recorded.js";

const ROWS = ["w_ec", "w_inter", "intra", "inter", "accuracy", "unseen_accuracy"];

export class FullScale extends Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    super(host, side, context);
    this.histogram = this.chart("histogram_title", { height: 150 });
    this.table = h("table", { class: "fv-table fv-small-table" });
    this.note = h("p", { class: "fv-quiet-note", text: this.words("lesson_projected") });
    side.replaceChildren(this.table, this.histogram.el, this.note);
    context.tape("fullscale").then((tape) => this.#take(tape), () => {});
  }

  /** @param {import("../tape.js").Tape} tape */
  #take({ run, frames }) {
    this.about = run;
    const shape = { members: run.members.length, classes: run.class_names.length, points: run.points, dim: run.class_names.length };
    this.moment = decodeFrame(frames[frames.length - 1], shape);
    this.shape = shape;
    this.#rows();
    if (this.values.loss) this.#tell();
  }

  /** @param {Record<string, any>} values */
  set(values) {
    this.values = values;
    if (this.moment) this.#tell();
  }

  /** @param {boolean} _before */
  open(_before) {
    this.isOpen = true;
    if (this.moment) this.#tell();
  }

  #rows() {
    const { words, about } = this;
    const heads = about.members.map((/** @type {any} */ member) => h("th", { scope: "col", text: words(`objective_${member.objective}`) }));
    this.cells = ROWS.map((name) => about.members.map((/** @type {any} */ _, /** @type {number} */ m) => h("td", { text: statisticText(name, this.moment.statistics[m][name], words, this.context.lang) })));
    const rows = ROWS.map((name, i) => h("tr", {}, h("th", { scope: "row", text: words(`lesson_row_${name}`) }), ...this.cells[i]));
    this.table.replaceChildren(h("thead", {}, h("tr", {}, h("td"), ...heads)), h("tbody", {}, ...rows));
  }

  #tell() {
    const { values, about, shape, words } = this;
    const member = about.members.findIndex((/** @type {any} */ one) => one.objective === values.loss);
    const cosines = readPoints(this.moment, member, new Float32Array(shape.points * shape.dim));
    this.side.hidden = !this.isOpen;
    for (const row of this.cells) row.forEach((/** @type {HTMLElement} */ cell, /** @type {number} */ m) => (cell.dataset.here = String(m === member)));
    const { own, others } = spread(cosines, about.labels, shape.classes);
    this.histogram.show(histogramSpec(own, others, words));
    const chosen = this.#three(Number(values.first));
    this.#place(member, cosines, chosen);
  }

  /** Three identities, one after the other. @param {number} first */
  #three(first) {
    const { classes } = this.shape;
    return [0, 1, 2].map((k) => (first + k) % classes);
  }

  /** @param {number} member @param {Float32Array} cosines @param {number[]} chosen */
  #place(member, cosines, chosen) {
    const { shape, about, words } = this;
    const gram = readPrototypes(this.moment, member, new Float32Array(shape.classes * shape.dim));
    const base = lowerTriangle(chosen.map((a) => chosen.map((b) => gram[a * shape.dim + b])));
    const samples = [...about.labels.keys()].filter((i) => chosen.includes(about.labels[i]));
    const points = samples.flatMap((i) => unit(solve(base, chosen.map((c) => cosines[i * shape.dim + c]))));
    const prototypes = base.flatMap(unit);
    const names = chosen.map((c) => words("lesson_face", { n: c + 1 }));
    const labels = samples.map((i) => chosen.indexOf(about.labels[i]));
    /** @param {any} handlers */
    const open = (handlers) => {
      const placed = new Placed({ dim: 3, names, labels, packing: (2 * Math.PI) / 3, exact: true, sprite: null }, handlers);
      placed.put(prototypes, points);
      return placed;
    };
    this.picture.show({ key: `${member}-${chosen.join()}`, open, members: [0], still: true });
  }

  state() {
    const { cam } = this.picture.state();
    return cam ? { cam } : {};
  }
}

/** Angles to the own prototype and to all others, radians. @param {Float32Array} cosines (N, C) @param {number[]} labels @param {number} classes */
export function spread(cosines, labels, classes) {
  /** @type {number[]} */
  const own = [];
  /** @type {number[]} */
  const others = [];
  for (const [i, label] of labels.entries()) {
    if (label >= classes) continue;
    for (let c = 0; c < classes; c += 1) (c === label ? own : others).push(Math.acos(Math.min(1, Math.max(-1, cosines[i * classes + c]))));
  }
  return { own: Float32Array.from(own), others: Float32Array.from(others) };
}

/**
 * Rows of L with L·Lᵀ = the cosines between three prototypes: the prototypes themselves, in the
 * coordinates of the space they span (Cholesky).
 * @param {number[][]} gram
 */
export function lowerTriangle(gram) {
  const rows = gram.map(() => [0, 0, 0]);
  for (let i = 0; i < 3; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let rest = gram[i][j];
      for (let k = 0; k < j; k += 1) rest -= rows[i][k] * rows[j][k];
      rows[i][j] = i === j ? Math.sqrt(Math.max(rest, 1e-9)) : rest / rows[j][j];
    }
  }
  return rows;
}

/** The point whose products with the rows are these: the projection onto their span. @param {number[][]} rows @param {number[]} cosines */
export function solve(rows, cosines) {
  const at = [0, 0, 0];
  for (let i = 0; i < 3; i += 1) {
    let rest = cosines[i];
    for (let k = 0; k < i; k += 1) rest -= rows[i][k] * at[k];
    at[i] = rest / rows[i][i];
  }
  return at;
}

/** @param {number[]} vector */
function unit(vector) {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
