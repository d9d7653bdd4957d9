/** The hardest pairs of a model: one person far apart, two people close together. */
import { h, write } from "../dom.js";
import { Losses, showPairs } from "./pieces.js";

export class Hardest {
  /** @param {HTMLElement} host @param {import("./page.js").OpenSet} page */
  constructor(host, page) {
    this.page = page;
    const { words } = page;
    this.losses = new Losses(page);
    this.soon = h("p", { class: "fv-quiet-note", text: words("open_soon") });
    this.failure = h("p", { class: "fv-lost", hidden: true });
    this.genuine = h("ul", { class: "fv-pairs" });
    this.impostor = h("ul", { class: "fv-pairs" });
    this.good = h("div", { class: "fv-two" },
      h("div", {}, h("h4", { text: words("open_hardest_genuine") }), this.genuine),
      h("div", {}, h("h4", { text: words("open_hardest_impostor") }), this.impostor));
    host.replaceChildren(this.losses.el, this.soon, this.failure, this.good);
  }

  /** @param {any} report */
  show(report) {
    const { page } = this;
    const found = report.members[page.chosen];
    this.losses.show(page.chosen);
    this.soon.hidden = report.full;
    this.failure.hidden = !found.error;
    this.good.hidden = Boolean(found.error) || !found.hardest;
    if (found.error) write(this.failure, found.error);
    if (this.good.hidden) return;
    showPairs(this.genuine, found.hardest.genuine, page);
    showPairs(this.impostor, found.hardest.impostor, page);
  }

  fit() {}
}
