/**
 * What figures with a recorded run share: one picture, charts beside it that follow it, and what
 * the page asks of every figure. A figure says which run it wants and what its charts show.
 */
import { Picture } from "./picture.js";
import { LineChart } from "../linechart.js";

export class Recorded {
  /** @param {HTMLElement} host @param {HTMLElement} side @param {import("./page.js").Context} context */
  constructor(host, side, context) {
    this.host = host;
    this.side = side;
    this.context = context;
    this.words = context.words;
    /** @type {LineChart[]} */
    this.charts = [];
    /** @type {Record<string, any>} */
    this.values = {};
    this.isOpen = context.revealed();
    this.picture = new Picture(host, context, {
      begun: (run) => (this.run = run),
      history: (store, frame) => this.followed(store, frame ?? store.newest),
      shown: (stage, frame) => this.shown(stage, frame),
    });
  }

  /** A chart beside the picture. @param {string} key @param {any} [options] */
  chart(key, options = {}) {
    const chart = new LineChart({ title: this.words(key), height: 110, ...options });
    this.charts.push(chart);
    return chart;
  }

  /** The run's charts follow its steps. @param {import("../store.js").FrameStore} _store @param {import("../protocol.js").Frame|null} _frame */
  followed(_store, _frame) {}

  /** @param {import("../stage.js").Stage} _stage @param {import("../protocol.js").Frame} _frame */
  shown(_stage, _frame) {}

  /** The answer is there. @param {boolean} before it was there when the lesson came on screen */
  open(before) {
    this.isOpen = true;
    if (!before) this.picture.play();
  }

  toggle() {
    this.picture.toggle();
  }

  rewind() {
    this.picture.rewind();
  }

  relook() {
    this.picture.relook();
  }

  fit() {
    this.picture.fit();
    for (const chart of this.charts) chart.fit();
  }

  state() {
    return this.picture.state();
  }

  dispose() {
    this.picture.dispose();
  }
}
