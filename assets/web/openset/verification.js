/** May two pictures be one person? Histograms and a threshold under the hand, ROC and DET, and the pairs that go wrong. */
import { h, write } from "../dom.js";
import { captionOf } from "../caption.js";
import { LineChart } from "../linechart.js";
import { Losses, degrees, logTicks, nameOf, outline, percent, powerOf, showPairs } from "./pieces.js";

const HALF = 2; // half degrees in a bar
const SHOWN = 8;
const HERO = 1; // FAR 1e-2

export class Verification {
  /** @param {HTMLElement} host @param {import("./page.js").OpenSet} page */
  constructor(host, page) {
    this.page = page;
    const { words, data } = page;
    this.losses = new Losses(page);
    this.histogram = new LineChart({ title: words(page.data.shown ? "open_histogram_shown" : "open_histogram"), height: 220 });
    this.histogram.el.classList.add("fv-drag");
    this.range = h("input", { type: "range", class: "fv-range", min: 0, max: 180, step: 0.5, "aria-label": words("open_threshold"), oninput: () => this.#move(Number(this.range.value)) });
    this.said = h("p", { class: "fv-readout", "aria-live": "polite" });
    this.curve = new LineChart({ title: words("open_roc"), height: 250 });
    const name = `fv-curve-${Math.random().toString(36).slice(2)}`;
    this.kind = "roc";
    const kinds = ["roc", "det"].map((kind) => {
      const input = h("input", { type: "radio", name, checked: kind === "roc", onchange: () => this.#turn(kind) });
      return h("label", {}, input, h("span", { text: words(`open_kind_${kind}`) }));
    });
    this.note = h("p", { class: "fv-quiet-note" });
    this.accepts = h("ul", { class: "fv-pairs" });
    this.rejects = h("ul", { class: "fv-pairs" });
    this.acceptTitle = h("h4");
    this.rejectTitle = h("h4");
    this.table = h("table", { class: "fv-table fv-tar" });
    this.tableNote = h("p", { class: "fv-quiet-note" });
    this.failure = h("p", { class: "fv-lost", hidden: true });
    this.good = h("div", {},
      h("div", { class: "fv-two" },
        h("div", {}, this.histogram.el, this.range, this.said),
        h("div", {}, h("div", { class: "fv-speeds fv-kinds", role: "radiogroup", "aria-label": words("open_kinds") }, ...kinds), this.curve.el, this.note)),
      (this.wrong = h("div", { class: "fv-two" }, h("div", {}, this.acceptTitle, this.accepts), h("div", {}, this.rejectTitle, this.rejects))));
    host.replaceChildren(this.losses.el, this.failure, this.good, h("h3", { text: words("open_table") }), h("div", { class: "fv-wide" }, this.table), this.tableNote);
    this.#listen();
    this.lang = data.lang;
    /** @type {number|undefined} the loss of the last report */
    this.seen = undefined;
    /** @type {import("../linechart.js").Spec|undefined} */
    this.spec = undefined;
    /** @type {import("../linechart.js").Spec|undefined} */
    this.curveSpec = undefined;
  }

  /** The hand draws the threshold on the histogram itself. */
  #listen() {
    const { svg } = this.histogram;
    const at = (/** @type {PointerEvent} */ event) => {
      const box = svg.getBoundingClientRect();
      const { pad, width } = this.histogram;
      const x = ((event.clientX - box.left) / box.width) * width;
      this.#move(Math.min(180, Math.max(0, Math.round((360 * (x - pad.left)) / (width - pad.left - pad.right)) / 2)));
    };
    svg.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      svg.setPointerCapture(event.pointerId);
      at(event);
    });
    svg.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => event.buttons && at(event));
  }

  /** @param {string} kind */
  #turn(kind) {
    this.kind = kind;
    this.curve.entitle(this.page.words(`open_${kind}`));
    this.#curves();
  }

  /** @param {number} threshold degrees */
  #move(threshold) {
    this.threshold = threshold;
    this.dragged = true;
    this.#judge();
  }

  /** @param {any} report */
  show(report) {
    const { page } = this;
    const found = report.members[page.chosen];
    this.losses.show(page.chosen);
    this.failure.hidden = !found.error;
    this.good.hidden = Boolean(found.error);
    this.#rows(report);
    if (found.error) {
      write(this.failure, found.error);
      return;
    }
    if (this.seen !== page.chosen || this.threshold === undefined || !this.dragged) {
      this.threshold = Math.round(2 * (found.tar[HERO].threshold ?? found.tar[0].threshold ?? 45)) / 2;
      this.dragged = this.dragged && this.seen === page.chosen;
    }
    this.seen = page.chosen;
    this.found = found;
    const bars = [0, 1].map((row) => perDegree(found.accepted[row]));
    const highest = Math.max(...bars.flat()) || 1;
    const { words } = page;
    this.spec = {
      series: [
        { points: outline(bars[1], 1, highest), tone: "fv-tone-mute", bars: true, label: words("open_impostor", { n: count(found.impostors, this.lang) }) },
        { points: outline(bars[0], 1, highest), tone: "fv-tone-accent", bars: true, label: words("open_genuine", { n: count(found.genuine, this.lang) }) },
      ],
      x: [0, 180], y: [0, 1.05], xTicks: [[0, "0°"], [45, "45°"], [90, "90°"], [135, "135°"], [180, "180°"]], yTicks: [],
    };
    this.#judge();
    this.#curves();
  }

  /** What the threshold makes of all pairs. */
  #judge() {
    const { found, threshold, lang } = this;
    if (!found) return;
    const { words } = this.page;
    const place = Math.round(HALF * threshold);
    const [genuine, impostor] = found.accepted.map((/** @type {number[]} */ row) => row[place]);
    const [tar, far] = [genuine / found.genuine, impostor / found.impostors];
    this.range.value = String(threshold);
    this.range.style.setProperty("--fv-fill", `${threshold / 1.8}%`);
    this.range.setAttribute("aria-valuetext", degrees(threshold, lang));
    this.histogram.show({ ...this.spec, mark: threshold });
    write(this.said, words("open_said", { threshold: degrees(threshold, lang), tar: percent(tar, lang), far: percent(far, lang, far < 0.001 ? 3 : 2), accepts: count(impostor, lang), rejects: count(found.genuine - genuine, lang) }));
    this.farNow = far;
    this.tarNow = tar;
    if (this.curveSpec) this.#mark();
    this.#mistakes(found.genuine - genuine, impostor);
  }

  /** Pairs on the wrong side, those nearest to the threshold first. @param {number} rejected @param {number} accepted */
  #mistakes(rejected, accepted) {
    const { found, threshold, page, lang } = this;
    this.wrong.hidden = !found.pairs;
    if (!found.pairs) return;
    const falls = found.pairs.impostor.filter((/** @type {number[]} */ [, , angle]) => angle <= threshold).slice(-SHOWN).sort(byAngle).reverse();
    const misses = found.pairs.genuine.filter((/** @type {number[]} */ [, , angle]) => angle > threshold).slice(0, SHOWN).sort(byAngle);
    write(this.acceptTitle, page.words("open_accepts", { count: count(accepted, lang) }));
    write(this.rejectTitle, page.words("open_rejects", { count: count(rejected, lang) }));
    showPairs(this.accepts, falls, page);
    showPairs(this.rejects, misses, page);
  }

  /** ROC or DET of all losses, the band of the chosen one. */
  #curves() {
    const { page, found } = this;
    const { report, words } = page;
    const det = this.kind === "det";
    const alive = report.members.filter((/** @type {any} */ one) => !one.error);
    const lowest = Math.max(-6, Math.round(Math.log10(Math.min(...alive.map((/** @type {any} */ one) => one.curve[0][0])))));
    const y = (/** @type {number} */ tar) => (det ? Math.log10(Math.max(1 - tar, 10 ** DET_LOWEST)) : tar);
    const line = (/** @type {number[][]} */ curve) => curve.map(([far, tar]) => [Math.log10(far), y(tar)]);
    /** @type {import("../linechart.js").Series[]} */
    const series = [];
    if (found.band) {
      const edge = (/** @type {number} */ side) => found.curve.map((/** @type {number[]} */ [far], /** @type {number} */ i) => [Math.log10(far), y(found.band[i][side])]);
      const [low, high] = [edge(0), edge(1)];
      series.push({ points: [...low, ...high.reverse()], tone: `fv-tone-loss-${page.chosen}`, filled: true, label: words("open_band") });
    }
    // Left of ten accepted impostors a curve rests on a handful of pairs.
    const reliable = Math.log10(report.least_impostors / found.impostors);
    series.push({ points: [[lowest, det ? DET_LOWEST : 0], [lowest, det ? 0 : 1.02], [reliable, det ? 0 : 1.02], [reliable, det ? DET_LOWEST : 0]], tone: "fv-tone-mute", filled: true, label: words("open_unreliable", { pairs: report.least_impostors }) });
    const order = [...report.members.keys()].filter((i) => !report.members[i].error && i !== page.chosen);
    for (const i of [...order, page.chosen]) {
      series.push({ points: line(report.members[i].curve), tone: `fv-tone-loss-${i}`, dashed: i !== page.chosen, label: nameOf(page, i) });
    }
    this.curveSpec = {
      series, x: [lowest, 0], y: det ? [DET_LOWEST, 0] : [0, 1.02],
      xTicks: logTicks(lowest), yTicks: det ? logTicks(DET_LOWEST) : [[0, "0"], [0.5, "50 %"], [1, "100 %"]],
    };
    this.lowest = lowest;
    const { folds } = found;
    if (!report.full) write(this.note, words("open_areas", { auc: percent(found.auc, this.lang, 2), eer: percent(found.eer, this.lang) }));
    else write(this.note, folds?.folds ? words("open_folds", { folds: folds.folds, mean: percent(folds.mean, this.lang), error: percent(folds.error, this.lang), auc: percent(found.auc, this.lang, 2), eer: percent(found.eer, this.lang) }) : words("open_no_folds", { auc: percent(found.auc, this.lang, 2), eer: percent(found.eer, this.lang) }));
    this.#mark();
  }

  #mark() {
    const det = this.kind === "det";
    const x = this.farNow > 0 ? Math.max(this.lowest, Math.log10(this.farNow)) : this.lowest;
    const y = det ? Math.log10(Math.max(1 - this.tarNow, 10 ** DET_LOWEST)) : this.tarNow;
    this.curve.show({ ...this.curveSpec, dot: [x, y] });
  }

  /** TAR at FAR for all losses. @param {any} report */
  #rows(report) {
    const { page, lang } = this;
    const { words, data } = page;
    const fars = report.fars.map((/** @type {number} */ far) => powerOf(far));
    const heads = fars.map((/** @type {string} */ text) => h("th", { scope: "col", text }));
    const rows = report.members.map((/** @type {any} */ found, /** @type {number} */ i) => {
      const { name, detail } = captionOf(data.members[i], words, lang);
      const head = h("th", { scope: "row" }, h("b", { class: `fv-tone-loss-${i}`, text: name }), " ", h("small", { text: detail }));
      if (found.error) return h("tr", {}, head, h("td", { colspan: fars.length + 2, class: "fv-lost", text: found.error }));
      const cells = found.tar.map((/** @type {any} */ at) => {
        const interval = at.low === undefined ? "" : words("open_interval", { low: percent(at.low, lang).replace(" %", ""), high: percent(at.high, lang).replace(" %", "") });
        if (at.far * found.impostors < 1) return h("td", { title: words("open_no_far"), text: "–" });
        return h("td", { "data-reliable": String(at.reliable), title: at.reliable ? "" : words("open_unreliable_help", { pairs: report.least_impostors }) }, percent(at.tar, lang), h("small", { text: interval }));
      });
      return h("tr", { "data-here": String(i === page.chosen) }, head, ...cells, h("td", { text: percent(found.eer, lang) }), h("td", { text: percent(found.auc, lang, 2) }));
    });
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, h("td", { text: words("open_tar_at") }), ...heads, h("th", { scope: "col", text: "EER" }), h("th", { scope: "col", text: "AUC" }))),
      h("tbody", {}, ...rows));
    write(this.tableNote, words(!report.full ? "open_table_soon" : report.members.some((/** @type {any} */ one) => one.band) ? "open_table_note" : "open_table_few", { people: report.names.length, least: report.least_identities, pairs: report.least_impostors }));
  }

  fit() {
    this.histogram.fit();
    this.curve.fit();
  }
}

const DET_LOWEST = -3;

/** @param {number[]} one @param {number[]} other */
function byAngle(one, other) {
  return one[2] - other[2];
}

/** Pairs in each degree as a share of all. @param {number[]} accepted at every half degree */
function perDegree(accepted) {
  const all = accepted[accepted.length - 1] || 1;
  return [...Array(180).keys()].map((k) => (accepted[HALF * (k + 1)] - (k ? accepted[HALF * k] : 0)) / all);
}

/** @param {number} value @param {string} lang */
function count(value, lang) {
  return new Intl.NumberFormat(lang).format(value);
}
