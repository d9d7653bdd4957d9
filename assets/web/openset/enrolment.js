/** A stranger becomes known: enrol one picture, then more, and see who is near the template. */
import { h, write } from "../dom.js";
import { LineChart } from "../linechart.js";
import { slider } from "./identification.js";
import { Losses, chosenLast, degrees, nameOf, outline, picture, powerOf } from "./pieces.js";

const BAR = 3;
const SHOWN = 12;

export class Enrolment {
  /** @param {HTMLElement} host @param {import("./page.js").OpenSet} page */
  constructor(host, page) {
    this.page = page;
    const { words } = page;
    this.losses = new Losses(page);
    this.soon = h("p", { class: "fv-quiet-note", text: words("open_soon") });
    this.people = h("div", { class: "fv-people", role: "radiogroup", "aria-label": words("open_who") });
    this.count = slider(words("open_enrolled"), (value) => page.wish({ enrolled: value }));
    this.template = h("ul", { class: "fv-pairs" });
    this.said = h("p", { class: "fv-readout", "aria-live": "polite" });
    this.own = h("ul", { class: "fv-pairs" });
    this.others = h("ul", { class: "fv-pairs" });
    this.histogram = new LineChart({ title: words("open_template_angles"), height: 200 });
    this.more = new LineChart({ title: "", height: 200 });
    this.good = h("div", {},
      h("h4", { text: words("open_who") }), this.people,
      h("div", { class: "fv-two" }, h("div", {}, this.count.el, this.template), h("div", {}, this.said)),
      h("div", { class: "fv-two" }, this.histogram.el, this.more.el),
      h("div", { class: "fv-two" }, h("div", {}, h("h4", { text: words("open_own_pictures") }), this.own), h("div", {}, h("h4", { text: words("open_other_pictures") }), this.others)));
    this.failure = h("p", { class: "fv-lost", hidden: true });
    host.replaceChildren(this.losses.el, this.soon, this.failure, this.good);
  }

  /** @param {any} report */
  show(report) {
    const { page } = this;
    const { words, data } = page;
    const { lang } = data;
    this.losses.show(page.chosen);
    const member = report.members[page.chosen];
    const found = member.error ? member : member.enrol;
    const error = report.full && found?.error;
    this.soon.hidden = report.full;
    this.failure.hidden = !error;
    this.good.hidden = !report.full || Boolean(member.error);
    if (error) write(this.failure, error);
    if (this.good.hidden) return;
    this.#people(report);
    if (error) return;
    const most = report.labels.filter((/** @type {number} */ label) => label === found.who).length - 1;
    this.count.show(found.count, 1, Math.min(SHOWN, most));
    fill(this.template, found.pictures.slice(0, found.count).map((/** @type {number} */ k) => [k, null]), page);
    const at = found.by_count.filter((/** @type {number[]} */ [n]) => n <= found.count).pop();
    const threshold = at?.[2];
    const accepted = found.own.filter((/** @type {number[]} */ [, angle]) => angle <= threshold).length;
    const wrongly = found.others.filter((/** @type {number[]} */ [, angle]) => angle <= threshold).length;
    write(this.said, threshold === undefined || threshold === null ? "" : words("open_enrol_said", { far: powerOf(report.enrol_far), name: report.names[found.who], n: found.count, threshold: degrees(threshold, lang), accepted, own: found.own.length, wrongly: wrongly < found.others.length ? String(wrongly) : `≥ ${wrongly}` }));
    const highest = Math.max(...found.own_bars ?? [1], ...found.other_bars ?? [1], 1e-9);
    this.histogram.show({
      series: [
        { points: outline(found.other_bars ?? [], BAR, highest), tone: "fv-tone-mute", bars: true, label: words("open_others") },
        { points: outline(found.own_bars ?? [], BAR, highest), tone: "fv-tone-accent", bars: true, label: report.names[found.who] },
      ],
      x: [0, 180], y: [0, 1.05], xTicks: [[0, "0°"], [90, "90°"], [180, "180°"]], yTicks: [], mark: threshold ?? undefined,
    });
    this.#more(report, found.count);
    const side = (/** @type {number[][]} */ list) => list.slice(0, SHOWN).map(([k, angle]) => [k, degrees(angle, lang, 0), angle <= threshold]);
    fill(this.own, side([...found.own].sort((a, b) => b[1] - a[1])), page);
    fill(this.others, side(found.others), page);
  }

  /** @param {any} report @param {number} count */
  #more(report, count) {
    const { page } = this;
    this.more.entitle(page.words("open_more", { far: powerOf(report.enrol_far) }));
    const alive = [...report.members.keys()].filter((i) => report.members[i].enrol?.by_count?.length);
    const order = chosenLast(alive, page.chosen);
    this.more.el.hidden = !order.length;
    if (!order.length) return;
    const last = Math.max(2, ...order.map((i) => report.members[i].enrol.by_count.at(-1)[0]));
    this.more.show({
      series: order.map((i) => ({ points: report.members[i].enrol.by_count.map((/** @type {number[]} */ [n, tar]) => [n, tar]), tone: `fv-tone-loss-${i}`, dashed: i !== page.chosen, label: nameOf(page, i) })),
      x: [1, last], y: [0, 1.02], xTicks: [[1, "1"], [last, page.words("open_pictures", { n: last })]], yTicks: [[0, "0"], [0.5, "50 %"], [1, "100 %"]], mark: Math.min(count, last),
    });
  }

  /** One picture of each stranger to choose from. @param {any} report */
  #people(report) {
    const { page } = this;
    const who = page.asked.stranger ?? 0;
    if (this.people.childElementCount !== report.names.length || this.peopleOf !== page.data.token) {
      this.peopleOf = page.data.token;
      const name = `fv-who-${Math.random().toString(36).slice(2)}`;
      this.people.replaceChildren(...report.names.map((/** @type {string} */ title, /** @type {number} */ k) => {
        const input = h("input", { type: "radio", name, "aria-label": title, onchange: () => page.wish({ stranger: k }) });
        return h("label", {}, input, picture(page, report.labels.indexOf(k), 2.9));
      }));
    }
    this.people.querySelectorAll("input").forEach((/** @type {any} */ input, /** @type {number} */ k) => (input.checked = k === who));
  }

  fit() {
    this.histogram.fit();
    this.more.fit();
  }
}

/** @param {HTMLElement} list @param {any[][]} entries picture, words below, and whether it is accepted @param {import("./page.js").OpenSet} page */
function fill(list, entries, page) {
  const key = `${page.data.token}|${JSON.stringify(entries)}`;
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...entries.map(([k, text, inside]) => {
    const mark = inside === undefined ? "" : inside ? " ✓" : " ✗";
    return h("li", { "data-inside": inside === undefined ? undefined : String(inside) }, picture(page, k), text ? h("small", { text: `${text}${mark}` }) : "");
  }));
}
