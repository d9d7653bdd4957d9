/** A link to what is on screen: copied by one button, with a QR code for the room. */
import { h, svg } from "./dom.js";

const ICON = "M6.5 9.5 9.5 6.5M7 4.5l1.6-1.6a3 3 0 0 1 4.3 4.3L11.5 8.8M9 11.5l-1.6 1.6a3 3 0 0 1-4.3-4.3L4.5 7.2";

export class Share {
  /**
   * @param {import("./words.js").Words} words
   * @param {{link: () => string, qr?: (text: string) => string}} acts the link of this moment; the address of its QR code
   */
  constructor(words, acts) {
    this.words = words;
    this.acts = acts;
    const icon = svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: ICON, fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round" }));
    this.button = h("button", { type: "button", class: "fv-button fv-quiet", title: words("share_title"), onclick: () => this.toggle() }, icon, h("span", { text: words("share") }));
    this.text = h("input", { class: "fv-share-text", readonly: true, "aria-label": words("share_link") });
    this.text.addEventListener("focus", () => this.text.select());
    this.said = h("p", { class: "fv-quiet-note", role: "status" });
    this.picture = h("img", { class: "fv-qr", alt: words("share_qr"), width: 240, height: 240 });
    const close = h("button", { type: "button", class: "fv-button", onclick: () => this.dialog.close(), text: words("share_close") });
    this.dialog = h("dialog", { class: "fv-dialog", "aria-label": words("share_title") }, h("h2", { text: words("share_title") }), this.picture, this.text, this.said, close);
    this.el = h("div", { class: "fv-share" }, this.button, this.dialog);
  }

  toggle() {
    if (this.dialog.open) {
      this.dialog.close();
      return;
    }
    const link = this.acts.link();
    this.text.value = link;
    this.picture.hidden = !this.acts.qr;
    if (this.acts.qr) this.picture.src = this.acts.qr(link);
    this.said.textContent = "";
    this.dialog.showModal();
    this.#copy(link);
  }

  /** Where the browser does not let us copy, the link stands there selected. @param {string} link */
  async #copy(link) {
    try {
      await navigator.clipboard.writeText(link);
      this.said.textContent = this.words("share_copied");
    } catch {
      this.text.focus();
      this.said.textContent = this.words("share_by_hand");
    }
  }
}
