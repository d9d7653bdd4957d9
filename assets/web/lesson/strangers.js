/** Lesson 12: people who were never in training, told apart by an angle and a threshold. */
import { h } from "../dom.js";
import { tile } from "../tile.js";
import { decimal } from "../words.js";
import { histogramSpec } from "../charts.js";
import { LineChart } from "../linechart.js";
import { decodeFrame, readPoints } from "../protocol.js";
import { countBelow, pairAngles, rankOne, rates, rocCurve, tarAtFar } from "./verification.js";

const FARS = [1e-1, 1e-2, 1e-3, 1e-4];
const LOWEST = -4;
const TO_RADIANS = Math.PI / 180;
const FACES = 6;
/** Side of a picture, in letters' heights. */
const TILE = 3.4;

export class Strangers {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    this.side = side;
    this.context = context;
    const { words } = context;
    this.isOpen = context.revealed();
    this.histogram = new LineChart({ title: words("lesson_pairs_title"), height: 240 });
    this.roc = new LineChart({ title: words("lesson_roc_title"), height: 190 });
    this.said = h("p", { class: "fv-readout", "aria-live": "polite" });
    this.faces = h("ul", { class: "fv-strip fv-faces" });
    this.cells = FARS.map(() => h("td"));
    const heads = FARS.map((far) => h("th", { scope: "col", text: `FAR ${decimal(100 * far, context.lang, Math.max(0, -Math.log10(far) - 2))}\u00a0%` }));
    this.rank = h("p", { class: "fv-readout" });
    const table = h("table", { class: "fv-table fv-small-table" }, h("thead", {}, h("tr", {}, h("th", { scope: "row", text: "TAR" }), ...heads)), h("tbody", {}, h("tr", {}, h("td"), ...this.cells)));
    this.left = h("div", { class: "fv-chart-figure" }, this.histogram.el, this.said, table, this.rank, this.faces);
    host.replaceChildren(this.left);
    this.table = table;
    side.replaceChildren(this.roc.el, (this.note = h("p", { class: "fv-quiet-note" })));
    context.tape("strangers").then((tape) => this.#take(tape), () => {});
  }

  /** @param {import("../tape.js").Tape} tape */
  #take(tape) {
    const { run, frames } = tape;
    this.run = run;
    const shape = { members: run.members.length, classes: run.class_names.length, points: run.points, dim: run.dim };
    const frame = decodeFrame(frames[frames.length - 1], shape);
    this.points = run.members.map((/** @type {any} */ _, /** @type {number} */ member) => readPoints(frame, member, new Float32Array(run.points * run.dim)));
    this.accuracy = frame.statistics.map(({ accuracy }) => accuracy);
    /** @type {Map<string, {pairs: import("./verification.js").Pairs, rank: number}>} */
    this.known = new Map();
    this.#tell();
  }

  /** @param {Record<string, any>} values */
  set(values) {
    this.values = values;
    this.#tell();
  }

  open() {
    this.isOpen = true;
    this.#tell();
  }

  /** @param {string} loss */
  #measured(loss) {
    const { run, values } = this;
    const people = Number(values.people);
    const key = `${loss}|${people}`;
    const before = this.known.get(key);
    if (before) return before;
    const first = run.class_names.length;
    const samples = [...run.labels.keys()].filter((i) => run.labels[i] >= first && run.labels[i] < first + people);
    const points = this.points[this.#member(loss)];
    const made = { pairs: pairAngles(points, run.labels, run.dim, samples), rank: rankOne(points, run.labels, run.dim, samples) };
    this.known.set(key, made);
    return made;
  }

  /** @param {string} loss */
  #member(loss) {
    return this.run.members.findIndex((/** @type {any} */ member) => member.objective === loss);
  }

  #tell() {
    if (!this.points || !this.values) return;
    const { words, lang } = this.context;
    const { loss } = this.values;
    const { pairs, rank } = this.#measured(loss);
    const threshold = Number(this.values.threshold_angle);
    const spec = histogramSpec(radians(pairs.genuine), radians(pairs.impostor), words);
    const [others, own] = spec.series;
    this.histogram.show({ ...spec, x: [0, 150], xTicks: [[0, "0°"], [50, "50°"], [100, "100°"], [150, "150°"]], series: [{ ...others, points: inside(others.points), label: words("lesson_impostor") }, { ...own, points: inside(own.points), label: words("lesson_genuine") }], mark: this.isOpen ? threshold : undefined });
    this.side.hidden = !this.isOpen;
    this.said.hidden = this.table.hidden = this.rank.hidden = !this.isOpen;
    this.faces.hidden = !this.isOpen;
    if (!this.isOpen) return;
    const { far, tar } = rates(pairs, threshold);
    const percent = (/** @type {number} */ value, digits = 1) => decimal(100 * value, lang, digits);
    this.said.textContent = words("lesson_threshold_said", { threshold: decimal(threshold, lang, 0), tar: percent(tar), far: percent(far, far < 0.001 ? 3 : 2), accepted: countBelow(pairs.impostor, threshold) });
    FARS.forEach((level, i) => {
      const at = tarAtFar(pairs, level);
      this.cells[i].textContent = `${percent(at.tar)} %`;
      this.cells[i].dataset.reliable = String(at.reliable);
      this.cells[i].title = at.reliable ? "" : words("lesson_unreliable");
    });
    this.rank.textContent = words("lesson_rank_said", { rank: percent(rank), accuracy: percent(this.accuracy[this.#member(loss)]) });
    this.note.textContent = words("lesson_pairs_note", { genuine: new Intl.NumberFormat(lang).format(pairs.genuine.length), impostor: new Intl.NumberFormat(lang).format(pairs.impostor.length) });
    this.#curves(loss, far);
    this.#people();
  }

  /** @param {string} loss @param {number} far */
  #curves(loss, far) {
    const { words } = this.context;
    const compared = [...new Set(["normalized_softmax", "arcface", loss])];
    const tones = ["fv-tone-mute", "fv-tone-ink", "fv-tone-accent"];
    const series = compared.map((name, i) => ({ points: rocCurve(this.#measured(name).pairs, LOWEST), tone: name === loss ? tones[2] : tones[i], dashed: name !== loss, label: words(`objective_${name}`) }));
    this.roc.show({ series, x: [LOWEST, 0], y: [0, 1.02], xTicks: [[-4, "10⁻⁴"], [-3, "10⁻³"], [-2, "10⁻²"], [-1, "10⁻¹"], [0, "1"]], yTicks: [[0, "0"], [1, "100 %"]], mark: far > 0 ? Math.max(LOWEST, Math.log10(far)) : LOWEST });
  }

  /** One picture of each of some people. */
  #people() {
    const { sprite, labels, class_names: names } = this.run;
    const people = Math.min(FACES, Number(this.values.people));
    if (this.faces.childElementCount === people) return;
    this.faces.replaceChildren(...[...Array(people).keys()].map((k) => {
      const i = labels.indexOf(names.length + k);
      return h("li", {}, tile(sprite, i, TILE));
    }));
  }

  fit() {
    const height = Math.max(170, Math.min(360, this.context.room(true) - 300));
    if (height !== this.histogram.options.height) {
      this.histogram.options.height = height;
      this.histogram.width = 0;
    }
    this.histogram.fit();
    this.roc.fit();
  }

  relook() {}

  toggle() {}

  rewind() {}

  state() {
    return {};
  }

  dispose() {}
}

/** @param {Float32Array} degrees */
function radians(degrees) {
  return degrees.map((value) => value * TO_RADIANS);
}

/** @param {number[][]} points */
function inside(points) {
  return points.map(([x, y]) => [Math.min(150, x), x > 150 ? 0 : y]);
}
