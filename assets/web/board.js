/**
 * Several members side by side: a caption and a histogram for each, one table of angles for all,
 * and the anatomy of a step for the sample that was clicked. Shows; trains nothing.
 */
import { h, write } from "./dom.js";
import { Anatomy } from "./anatomy.js";
import { Pace } from "./pace.js";
import { LineChart } from "./linechart.js";
import { barsSpec, histogramSpec } from "./charts.js";
import { otherAngles, targetAngles } from "./store.js";
import { feasible } from "./formula.js";
import { captionOf, statisticText } from "./caption.js";

const TABLE_EVERY = 200;
const BARS_EVERY = 500;
/** While training goes on, the clicked sample is looked at this often, ms. */
const ASK_EVERY = 600;

/** @type {[string, string[]][]} what is measured, and where */
const COLUMNS = [
  ["seen", ["accuracy", "held_out_accuracy", "w_ec", "w_inter", "intra", "inter", "packing_share"]],
  ["unseen", ["unseen_accuracy", "unseen_intra", "unseen_inter"]],
];

export class Board {
  /**
   * @param {import("./skeleton.js").Skeleton} skeleton @param {{words: import("./words.js").Words, data: any}} context
   * @param {{ask: (sample: number) => void}} acts
   */
  constructor(skeleton, { words, data }, acts) {
    this.skeleton = skeleton;
    this.words = words;
    this.data = data;
    this.acts = acts;
    this.tablePace = new Pace(TABLE_EVERY, (frame) => this.#write(frame));
    this.barsPace = new Pace(BARS_EVERY, (stage) => this.#bars(stage));
    this.askedAt = 0;
    this.askAgain = 0;
    /** @type {LineChart[]} */
    this.charts = [];
    this.table = h("table", { class: "fv-table" });
    this.note = h("p", { class: "fv-quiet-note" });
    this.anatomy = new Anatomy(words, data.lang);
    const title = h("h3", { text: words("table_title") });
    const angles = h("section", { class: "fv-angles" }, title, h("div", { class: "fv-wide" }, this.table), this.note);
    this.exact = h("p", { class: "fv-quiet-note fv-exact", hidden: true });
    skeleton.panel.replaceChildren(this.exact, this.anatomy.el, angles);
  }

  /** @param {any} run */
  members(run) {
    return [...run.members.keys()];
  }

  /** Nothing here is set by hand. */
  values() {}

  /** @returns {Record<string, string>} nothing of it belongs into a link */
  linked() {
    return {};
  }

  /** @param {any} run */
  introduce(run) {
    this.run = run;
    this.anatomy.clear(undefined);
    this.#captions();
    this.#rows();
  }

  /** Each cell draws the caps of its own margin. @param {import("./stage.js").Stage} stage */
  dress(stage) {
    for (const cell of stage.cells) {
      const { margin, in_margin_family: family } = stage.run.members[cell.member];
      const [m1, m2, m3] = margin;
      cell.setMargin(family ? { m1, m2, m3 } : null);
    }
    this.#captions();
  }

  /** Captions belong to cells, which are made anew with every run. */
  #captions() {
    const { places } = this.skeleton;
    if (!this.run || places.length !== this.run.members.length || places[0] === this.captioned) return;
    [this.captioned] = places;
    this.lost = places.map(() => h("p", { class: "fv-lost fv-diverged", hidden: true }));
    this.charts = places.map(({ head, foot }, i) => {
      const { name, detail } = captionOf(this.run.members[i], this.words, this.data.lang);
      head.replaceChildren(h("strong", { text: name }), h("span", { text: detail }));
      const chart = new LineChart({ title: this.words("histogram_title"), height: 86 });
      foot.replaceChildren(chart.el, this.#fit(this.run.members[i]), this.lost[i]);
      chart.fit();
      return chart;
    });
  }

  /** What is drawn as red sectors, in words: this margin asks for more room than there is. @param {any} member */
  #fit(member) {
    const [m1, m2, m3] = member.margin;
    const { packing_angle: packing, class_names: names, dim } = this.run;
    const fits = !member.in_margin_family || feasible({ m1, m2, m3 }, packing);
    const classes = this.words("classes", { n: names.length });
    const place = this.run.projection ? this.words("place_many", { dim: this.run.embedding_dim }) : this.words(`place_${dim}`);
    return h("p", { class: "fv-lost", hidden: fits, text: this.words("cell_infeasible", { classes, place }) });
  }

  /** The table's frame; its numbers are written into the cells. */
  #rows() {
    const { words, run } = this;
    const groups = COLUMNS.map(([where, names]) => ({ where, names: names.filter((name) => this.#measured(name)) })).filter(({ names }) => names.length);
    const over = groups.map(({ where, names }) => h("th", { colspan: names.length, scope: "colgroup", text: words(run.trains === false && where === "seen" ? "table_shown" : `table_${where}`, { n: run.unseen_names.length }) }));
    const heads = groups.flatMap(({ names }) => names.map((name, i) => h("th", { scope: "col", class: i ? "" : "fv-first", title: words(`table_${name}_help`, { n: run.unseen_names.length }), text: words(`table_${name.replace("unseen_", "")}`) })));
    /** @type {{name: string, cell: HTMLElement}[][]} */
    this.numbers = [];
    const body = run.members.map((/** @type {any} */ member) => {
      const { name, detail } = captionOf(member, words, this.data.lang);
      const row = groups.flatMap(({ names }) => names.map((key, i) => ({ name: key, cell: h("td", { class: i ? "" : "fv-first" }) })));
      this.numbers.push(row);
      return h("tr", {}, h("th", { scope: "row" }, h("b", { text: name }), " ", h("small", { text: detail })), ...row.map(({ cell }) => cell));
    });
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, h("td", { rowspan: 2 }), ...over), h("tr", {}, ...heads)),
      h("tbody", {}, ...body),
    );
    // It speaks of how one would train.
    this.note.textContent = run.trains === false ? "" : words(run.unseen_names.length ? "table_note" : "table_note_seen");
  }

  /** @param {string} name */
  #measured(name) {
    if (name === "held_out_accuracy") return Boolean(this.run.some_held_out);
    return !name.startsWith("unseen") || this.run.unseen_names.length > 0;
  }

  /** @param {import("./stage.js").Stage} stage @param {import("./protocol.js").Frame} frame */
  picture(stage, frame) {
    const pinned = stage.pinnedBy && this.#asks(stage.run);
    if (pinned && stage.player.mode !== "live") this.#past(stage);
    else if (pinned && this.askedStep !== frame.step && performance.now() > this.askAgain) this.#ask(stage.focus, frame.step);
    this.barsPace.ask(stage);
  }

  /** @param {import("./stage.js").Stage} stage */
  #bars(stage) {
    const { dim, labels } = stage.run;
    const angles = stage.player.frame?.angles;
    this.#tellProjection(stage.player.frame);
    stage.cells.forEach(({ member, player: { picture } }, i) => {
      const none = new Float32Array(0);
      const lost = this.lost?.[i] && !this.lost[i].hidden;
      if (angles) {
        this.charts[i]?.show(barsSpec(lost ? [] : angles[member].own, lost ? [] : angles[member].others, this.words), "", true);
        return;
      }
      const own = lost ? none : targetAngles(picture.points, picture.prototypes, labels, dim);
      const others = lost ? none : otherAngles(picture.points, picture.prototypes, labels, dim);
      this.charts[i]?.show(histogramSpec(own, others, this.words), "", true);
    });
  }

  /** What of a projection is exact, and what is not. @param {import("./protocol.js").Frame|null} frame */
  #tellProjection(frame) {
    const { projection, embedding_dim: dim, class_names: names } = this.run;
    this.exact.hidden = !projection;
    this.anatomy.el.hidden = !this.#asks(this.run);
    if (!projection || !frame) return;
    const held = Math.min(...frame.held.filter(Number.isFinite));
    const chosen = projection.classes.map((/** @type {number} */ c) => names[c]).join(", ");
    write(this.exact, this.words(`projected_${projection.kind}`, { dim, names: chosen, held: statisticText("share", held, this.words, this.data.lang) }));
  }

  /** @param {import("./store.js").FrameStore} store @param {import("./protocol.js").Frame|null} shown */
  history(store, shown) {
    const frame = shown ?? store.newest;
    if (this.run && frame) this.tablePace.ask(frame);
  }

  /** The table's numbers. @param {import("./protocol.js").Frame} frame */
  #write(frame) {
    this.numbers.forEach((row, member) => {
      const values = frame.statistics[member] ?? {};
      for (const { name, cell } of row) {
        const text = statisticText(name, values[name], this.words, this.data.lang);
        if (cell.textContent !== text) cell.textContent = text;
      }
      this.#showLost(member, frame);
    });
  }

  /** A member whose loss is no number any more. @param {number} member @param {import("./protocol.js").Frame} frame */
  #showLost(member, frame) {
    const note = this.lost?.[member];
    if (!note) return;
    // Of a model that was trained elsewhere the loss need not be known.
    note.hidden = frame.step === 0 || frame.losses[member] !== null || this.run.trains === false;
    if (!note.hidden) note.textContent = this.words("lost_member");
  }

  /** @param {number|null} sample @param {import("./stage.js").Stage} stage */
  pinned(sample, stage) {
    if (!this.#asks(stage.run)) return;
    if (sample === null) this.anatomy.clear(stage);
    else if (stage.player.mode !== "live") this.#past(stage);
    else this.#ask(sample, stage.player.frame?.step ?? 0);
  }

  /** The step's arrows have no place in a projection, nor has a step where nobody trains or another does. @param {any} run */
  #asks(run) {
    return !run.projection && run.trains !== false && !this.data.readonly;
  }

  /** A look back has no anatomy; on return it is asked for anew. @param {import("./stage.js").Stage} stage */
  #past(stage) {
    this.askedStep = undefined;
    this.askAgain = 0;
    this.anatomy.past(stage);
  }

  /** @param {any} sample @param {number} step */
  #ask(sample, step) {
    this.askedAt = performance.now();
    this.askAgain = Infinity;
    this.askedStep = step;
    this.acts.ask(sample);
  }

  /** What the next step does to the sample. @param {any} message @param {import("./stage.js").Stage|undefined} stage */
  answer(message, stage) {
    // What takes long to answer is asked less often: the run trains on the same thread.
    const took = performance.now() - this.askedAt;
    this.askAgain = performance.now() + Math.max(ASK_EVERY, 10 * took);
    if (stage && stage.focus === message.sample && stage.pinnedBy) this.anatomy.show(message, stage);
  }

  place() {
    this.fit();
  }

  fit() {
    for (const chart of this.charts) chart.fit();
  }

  redraw() {}

  dispose() {
    this.tablePace.stop();
    this.barsPace.stop();
    this.captioned = undefined;
  }
}
