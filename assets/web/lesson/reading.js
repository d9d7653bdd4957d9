/** What students read below a lesson, not for the hall: its text, a run like it to try, the sources. */
import { h } from "../dom.js";
import { filledQuery } from "./linking.js";
import { html } from "./texts.js";

export class Reading {
  /**
   * @param {any} data the lesson's @param {import("../words.js").Words} words
   * @param {import("./page.js").Host} host
   */
  constructor(data, words, host) {
    this.data = data;
    this.text = h("div");
    const look = "fv-button fv-primary fv-try";
    this.tryIt = host.train
      ? h("button", { type: "button", class: look, onclick: () => host.train(this.query) }, words("lesson_try"))
      : h("a", { class: look, target: "_blank", rel: "noopener" }, words("lesson_try"));
    // Without the app there is one page to train on.
    const offered = host.train ? data.try.page === "" : data.app !== null;
    const sources = html("div", data.sources);
    sources.className = "fv-sources";
    this.el = h("section", { class: "fv-reading" }, this.text,
      offered ? h("p", {}, this.tryIt) : "", h("h2", { text: words("lesson_sources") }), sources);
  }

  /** The text; while a room votes, it comes later. @param {string} text */
  learn(text) {
    this.text.replaceChildren(...html("div", text).childNodes);
  }

  /** The link to a run like the lesson's follows the controls. @param {Record<string, any>} values */
  follow(values) {
    const { app, lang, try: { page, query } } = this.data;
    this.query = filledQuery({ ...query, lang: "{lang}" }, { ...values, lang });
    if (app !== null) this.tryIt.href = `${app}${page}?${new URLSearchParams(this.query)}`;
  }
}
