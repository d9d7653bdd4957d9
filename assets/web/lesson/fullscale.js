/**
 * Lesson 13: a run in 512 dimensions: its angles, and three of its identities on the sphere that
 * their prototypes span. A run of one's own may stand in; in two or three dimensions it needs no
 * projection.
 */
import { h } from "../dom.js";
import { captionOf, statisticText } from "../caption.js";
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
    this.note = h("p", { class: "fv-quiet-note" });
    this.whose = h("p", { class: "fv-quiet-note", hidden: !context.run, text: context.run ? this.words("lesson_own_run", context.run) : "" });
    side.replaceChildren(this.whose, this.table, this.histogram.el, this.note);
    context.tape(context.run ? `run/${context.run.token}` : "fullscale").then((tape) => this.#take(tape), () => {});
  }

  /** @param {import("../tape.js").Tape} tape */
  #take({ run, frames }) {
    this.about = run;
    // Of many dimensions the tape has the cosines to all prototypes, else the coordinates.
    this.projected = run.dim > 3;
    const dim = this.projected ? run.class_names.length : run.dim;
    const shape = { members: run.members.length, classes: run.class_names.length, points: run.points, dim };
    this.note.textContent = this.projected ? this.words("lesson_projected") : "";
    this.moment = decodeFrame(frames[frames.length - 1], shape);
    this.shape = shape;
    this.#rows();
    if (this.values.loss || this.context.run) this.#tell();
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
    const heads = about.members.map((/** @type {any} */ member) => h("th", { scope: "col", text: captionOf(member, words, this.context.lang).name }));
    this.cells = ROWS.map((name) => about.members.map((/** @type {any} */ _, /** @type {number} */ m) => h("td", { text: statisticText(name, this.moment.statistics[m][name], words, this.context.lang) })));
    const known = ROWS.map((name) => about.members.some((/** @type {any} */ _, /** @type {number} */ m) => Number.isFinite(this.moment.statistics[m][name] ?? NaN)));
    const rows = ROWS.map((name, i) => h("tr", {}, h("th", { scope: "row", text: words(`lesson_row_${name}`) }), ...this.cells[i]));
    this.table.replaceChildren(h("thead", {}, h("tr", {}, h("td"), ...heads)), h("tbody", {}, ...rows.filter((_, i) => known[i])));
  }

  #tell() {
    const { values, about, shape, words } = this;
    const member = this.context.run ? Number(values.member ?? 1) - 1 : about.members.findIndex((/** @type {any} */ one) => one.objective === values.loss);
    const points = readPoints(this.moment, member, new Float32Array(shape.points * shape.dim));
    const prototypes = readPrototypes(this.moment, member, new Float32Array(shape.classes * shape.dim));
    const cosines = this.projected ? points : cosinesOf(points, prototypes, shape.dim);
    this.side.hidden = !this.isOpen;
    for (const row of this.cells) row.forEach((/** @type {HTMLElement} */ cell, /** @type {number} */ m) => (cell.dataset.here = String(m === member)));
    const { own, others } = spread(cosines, about.labels, shape.classes);
    this.histogram.show(histogramSpec(own, others, words));
    if (this.projected) this.#project(member, cosines, prototypes, this.#three(Number(values.first ?? 0)));
    else this.#place(`${member}`, [...prototypes], [...points], about.class_names, about.labels);
  }

  /** Three identities, one after the other. @param {number} first */
  #three(first) {
    const { classes } = this.shape;
    return [...Array(Math.min(3, classes)).keys()].map((k) => (first + k) % classes);
  }

  /** The space of three prototypes. @param {number} member @param {Float32Array} cosines @param {Float32Array} gram @param {number[]} chosen */
  #project(member, cosines, gram, chosen) {
    const { shape, about, words } = this;
    const base = lowerTriangle(chosen.map((a) => chosen.map((b) => gram[a * shape.dim + b])));
    const samples = [...about.labels.keys()].filter((i) => chosen.includes(about.labels[i]));
    const points = samples.flatMap((i) => unit(solve(base, chosen.map((c) => cosines[i * shape.dim + c]))));
    const prototypes = base.flatMap(unit);
    const names = chosen.map((c) => (this.context.run ? about.class_names[c] : words("lesson_face", { n: c + 1 })));
    const labels = samples.map((i) => chosen.indexOf(about.labels[i]));
    this.#place(`${member}-${chosen.join()}`, prototypes, points, names, labels);
  }

  /** @param {string} key @param {number[]} prototypes @param {number[]} points @param {string[]} names @param {number[]} labels */
  #place(key, prototypes, points, names, labels) {
    const dim = this.projected ? 3 : this.shape.dim;
    /** @param {any} handlers */
    const open = (handlers) => {
      const placed = new Placed({ dim, names, labels, packing: (2 * Math.PI) / 3, exact: true, sprite: null }, handlers);
      placed.put(prototypes, points);
      return placed;
    };
    this.picture.show({ key, open, members: [0], still: true });
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

/** Cosines (N, C) of points (N, D) to prototypes (C, D). @param {Float32Array} points @param {Float32Array} prototypes @param {number} dim */
function cosinesOf(points, prototypes, dim) {
  /** @param {Float32Array} flat */
  const rows = (flat) => [...Array(flat.length / dim).keys()].map((i) => unit([...flat.subarray(i * dim, (i + 1) * dim)]));
  const centres = rows(prototypes);
  return Float32Array.from(rows(points).flatMap((point) => centres.map((centre) => point.reduce((sum, value, k) => sum + value * centre[k], 0))));
}

/**
 * Rows of L with L·Lᵀ = the cosines between three prototypes: the prototypes themselves, in the
 * coordinates of the space they span (Cholesky).
 * @param {number[][]} gram
 */
function lowerTriangle(gram) {
  const rows = gram.map(() => [0, 0, 0]);
  for (let i = 0; i < gram.length; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let rest = gram[i][j];
      for (let k = 0; k < j; k += 1) rest -= rows[i][k] * rows[j][k];
      rows[i][j] = i === j ? Math.sqrt(Math.max(rest, 1e-9)) : rest / rows[j][j];
    }
  }
  return rows;
}

/** The point whose products with the rows are these: the projection onto their span. @param {number[][]} rows @param {number[]} cosines */
function solve(rows, cosines) {
  const at = [0, 0, 0];
  for (let i = 0; i < rows.length; i += 1) {
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
