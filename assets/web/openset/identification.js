/** Who of the gallery is it, and is it anybody? Rank curves, and TPIR at FPIR for people who are not enrolled. */
import { h, write } from "../dom.js";
import { captionOf } from "../caption.js";
import { LineChart } from "../linechart.js";
import { Losses, chosenLast, degrees, logTicks, nameOf, percent, powerOf } from "./pieces.js";

export class Identification {
  /** @param {HTMLElement} host @param {import("./page.js").OpenSet} page */
  constructor(host, page) {
    this.page = page;
    const { words } = page;
    this.losses = new Losses(page);
    this.gallery = slider(words("open_gallery"), (value) => page.wish({ gallery: value }));
    this.each = slider(words("open_per_identity"), (value) => page.wish({ per_identity: value }));
    this.said = h("p", { class: "fv-readout", "aria-live": "polite" });
    this.ranks = new LineChart({ title: words("open_cmc"), height: 230 });
    this.open = new LineChart({ title: words("open_tpir"), height: 230 });
    this.table = h("table", { class: "fv-table fv-tar" });
    this.soon = h("p", { class: "fv-quiet-note", text: words("open_soon") });
    this.good = h("div", {},
      h("div", { class: "fv-two fv-sliders" }, this.gallery.el, this.each.el), this.said,
      h("div", { class: "fv-two" }, this.ranks.el, this.open.el),
      h("div", { class: "fv-wide" }, this.table), (this.note = h("p", { class: "fv-quiet-note" })));
    host.replaceChildren(this.losses.el, this.soon, this.good);
  }

  /** @param {any} report */
  show(report) {
    const { page } = this;
    const { words, data } = page;
    const { lang } = data;
    this.losses.show(page.chosen);
    this.soon.hidden = report.full;
    this.good.hidden = !report.full;
    if (!report.full) return;
    this.gallery.show(report.gallery, 1, report.names.length);
    this.each.show(page.asked.per_identity ?? 1, 1, Math.max(1, report.most_per_identity));
    const found = report.members.map((/** @type {any} */ one) => (one.error ? { error: one.error } : one.identification));
    const first = found.find((/** @type {any} */ one) => !one.error);
    write(this.said, first ? words("open_gallery_said", { gallery: first.gallery, mated: first.mated, non_mated: first.non_mated }) : found[0].error);
    write(this.note, words("open_identify_note", { probes: report.least_impostors }));
    this.#curves(found);
    const rows = found.map((/** @type {any} */ one, /** @type {number} */ i) => {
      const { name, detail } = captionOf(data.members[i], words, lang);
      const head = h("th", { scope: "row" }, h("b", { class: `fv-tone-loss-${i}`, text: name }), " ", h("small", { text: detail }));
      if (one.error) return h("tr", {}, head, h("td", { colspan: 5, class: "fv-lost", text: one.error }));
      const open = [0, 1].map((k) => {
        const at = one.tpir?.[k];
        return h("td", { "data-reliable": String(at?.reliable ?? true), text: percent(at?.tar, lang) }, h("small", { text: at?.threshold ? degrees(at.threshold, lang) : "" }));
      });
      return h("tr", { "data-here": String(i === page.chosen) }, head, h("td", { text: percent(one.cmc[0], lang) }), h("td", { text: percent(one.cmc[4], lang) }), ...open);
    });
    const heads = [words("open_rank_1"), words("open_rank_5"), ...[0, 1].map((k) => words("open_fpir", { power: powerOf(report.fars[k]) }))];
    this.table.replaceChildren(h("thead", {}, h("tr", {}, h("td"), ...heads.map((text) => h("th", { scope: "col", text })))), h("tbody", {}, ...rows));
  }

  /** @param {any[]} found */
  #curves(found) {
    const { page } = this;
    const { words } = page;
    const alive = [...found.keys()].filter((i) => !found[i].error);
    const order = chosenLast(alive, page.chosen);
    const label = (/** @type {number} */ i) => nameOf(page, i);
    const most = Math.max(2, ...alive.map((i) => found[i].cmc.length));
    this.ranks.show({
      series: order.map((i) => ({ points: found[i].cmc.map((/** @type {number} */ share, /** @type {number} */ k) => [k + 1, share]), tone: `fv-tone-loss-${i}`, dashed: i !== page.chosen, label: label(i) })),
      x: [1, most], y: [0, 1.02], xTicks: [[1, words("open_rank", { n: 1 })], [most, String(most)]], yTicks: [[0, "0"], [0.5, "50 %"], [1, "100 %"]],
    });
    const curves = order.filter((i) => found[i].curve);
    this.open.el.hidden = !curves.length;
    if (!curves.length) return;
    const lowest = Math.round(Math.log10(found[curves[0]].curve[0][0]));
    this.open.show({
      series: curves.map((i) => ({ points: found[i].curve.map((/** @type {number[]} */ [far, tar]) => [Math.log10(far), tar]), tone: `fv-tone-loss-${i}`, dashed: i !== page.chosen, label: label(i) })),
      x: [lowest, 0], y: [0, 1.02], xTicks: logTicks(lowest), yTicks: [[0, "0"], [0.5, "50 %"], [1, "100 %"]],
    });
  }

  fit() {
    this.ranks.fit();
    this.open.fit();
  }
}

/** A slider with its name and value; tells on release. @param {string} name @param {(value: number) => void} tell */
export function slider(name, tell) {
  const value = h("output");
  const range = h("input", { type: "range", class: "fv-range", min: 1, step: 1, "aria-label": name });
  const fill = () => range.style.setProperty("--fv-fill", `${(100 * (Number(range.value) - Number(range.min))) / Math.max(1, Number(range.max) - Number(range.min))}%`);
  range.addEventListener("input", () => {
    value.textContent = range.value;
    fill();
  });
  range.addEventListener("change", () => tell(Number(range.value)));
  const el = h("label", { class: "fv-named" }, h("span", { text: name }), value, range);
  return {
    el,
    /** @param {number} now @param {number} low @param {number} high */
    show(now, low, high) {
      range.min = String(low);
      range.max = String(high);
      range.value = String(now);
      value.textContent = String(now);
      fill();
    },
  };
}
