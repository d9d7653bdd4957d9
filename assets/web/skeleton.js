/**
 * The frame of the page: where cells, transport and panel sit, how large a cell is, which colours
 * hold. Knows no run.
 *
 * @typedef {Object} Place  where one member is drawn
 * @property {HTMLElement} el
 * @property {HTMLElement} head  its caption
 * @property {HTMLElement} area  the square with scene and canvas
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} tip
 * @property {HTMLElement} foot
 */
import { h } from "./dom.js";

/** Between cells, and the lines of text around each, in letters' heights. */
const GAP = 22;
const CAPTION = 11;
const LEAST = 150;
const SMALLEST_IN_A_ROW = 180;
const ROW_IS_WORTH = 0.6;
/** How much of the window pictures side by side may fill: the table should be seen as well. */
const SHARE = 0.62;

export class Skeleton {
  /** @param {HTMLElement} parent @param {string} mode how the page is laid out: "single", "sweep", "compare" or "plain" */
  constructor(parent, mode) {
    this.mode = mode;
    /** @type {(() => number)|undefined} how high pictures may be, where somebody else lays out the page */
    this.room = undefined;
    this.notice = h("div", { class: "fv-notice", role: "status", hidden: true });
    this.cells = h("div", { class: "fv-cells" });
    /** @type {Place[]} */
    this.places = [];
    /** @type {HTMLElement} */
    this.plot = h("div", { class: "fv-plot" });
    this.transport = h("div", { class: "fv-transport" });
    this.panel = h("div", { class: "fv-panel" });
    this.board = h("div", { class: "fv-board" }, this.cells, this.notice);
    this.left = h("div", { class: "fv-left" }, this.board, this.transport);
    this.grid = h("div", { class: "fv-grid" }, this.left, this.panel);
    this.root = h("div", { class: "fv-root", "data-mode": mode }, this.grid);
    this.hosts(1);
    parent.append(this.root);
    /** Resolves when the style sheet is in force: colours and sizes can be read. */
    this.styled = this.#styled().then(() => this.fit());
  }

  /** @returns {Promise<void>} */
  #styled() {
    const there = () => getComputedStyle(this.root).getPropertyValue("--fv-ink") !== "";
    return new Promise((resolve) => {
      const look = () => (there() ? resolve() : setTimeout(look, 15));
      look();
    });
  }

  /** Fresh hosts for a new scene with so many members: Plotly leaves listeners on the old ones. @param {number} count */
  hosts(count) {
    this.plot = h("div", { class: "fv-plot" });
    this.places = [...Array(count)].map(() => this.#place());
    this.places[0].area.prepend(this.plot);
    this.cells.replaceChildren(...this.places.map(({ el }) => el));
    return { plot: this.plot, canvases: this.places.map(({ canvas }) => canvas) };
  }

  /** @returns {Place} */
  #place() {
    const canvas = h("canvas", { class: "fv-layer", "aria-hidden": "true" });
    const tip = h("div", { class: "fv-tip", role: "status", hidden: true });
    const area = h("div", { class: "fv-stage", role: "figure" }, canvas, tip);
    const head = h("div", { class: "fv-cell-head" });
    const foot = h("div", { class: "fv-cell-foot" });
    const many = this.mode === "compare" || this.mode === "plain";
    const el = h("div", { class: "fv-cell" }, ...(many ? [head, area, foot] : [area]));
    return { el, head, area, canvas, tip, foot };
  }

  /** Give the scene to a cell: what is under the pointer answers to the hand. @param {number} index */
  lend(index) {
    const { area } = this.places[index];
    if (this.plot.parentElement !== area) area.prepend(this.plot);
  }

  /** @param {string} theme @param {string} view */
  setLook(theme, view) {
    this.root.dataset.theme = theme === "dark" ? "dark" : "light";
    this.root.dataset.view = view ?? "normal";
  }

  /** Cells as squares: as large as the column and the window allow. */
  fit() {
    const width = this.root.clientWidth;
    if (!width) return;
    const letter = (parseFloat(getComputedStyle(this.root).fontSize) || 14) / 14;
    const letters = width / letter;
    const shape = letters >= 1240 ? "large" : letters >= 720 ? "medium" : "small";
    this.root.dataset.width = shape;
    const room = Math.max(380, window.innerHeight - 190);
    if (this.mode === "plain") {
      const head = this.places[0].head.childElementCount ? (this.places.length > 1 ? 4.1 : 3) * 14 * letter : 0;
      this.#fitMany(width, Math.max(LEAST, this.room?.() ?? room), head);
      return shape;
    }
    if (this.mode === "compare") {
      this.#fitMany(width, Math.max(380, window.innerHeight * SHARE), CAPTION * 14 * letter);
      return shape;
    }
    const column = { large: width * 0.5, medium: width * 0.57, small: width }[shape];
    const side = Math.floor(shape === "small" ? column : Math.min(column, room));
    this.root.style.setProperty("--fv-side", `${side}px`);
    return shape;
  }

  /** As many columns as give the largest squares. @param {number} width @param {number} room @param {number} caption pixels of text at each cell */
  #fitMany(width, room, caption) {
    const count = this.places.length;
    const choices = [...Array(count).keys()].map((i) => {
      const columns = i + 1;
      const across = (width - (columns - 1) * GAP) / columns;
      const rows = Math.ceil(count / columns);
      return { columns, side: Math.floor(Math.min(across, Math.max(LEAST, room / rows - caption))) };
    });
    const largest = choices.reduce((a, b) => (b.side >= a.side ? b : a));
    // One row leaves the table in view: worth somewhat smaller pictures.
    const row = choices[count - 1];
    const best = row.side >= SMALLEST_IN_A_ROW && row.side > ROW_IS_WORTH * largest.side ? row : largest;
    this.root.style.setProperty("--fv-side", `${best.side}px`);
    // No row is left with a single picture where rows can be even.
    const columns = Math.ceil(count / Math.ceil(count / best.columns));
    this.root.style.setProperty("--fv-columns", String(columns));
  }

  colors() {
    const style = getComputedStyle(this.root);
    const read = (/** @type {string} */ name) => style.getPropertyValue(`--fv-${name}`).trim();
    return {
      ink: read("ink"),
      mute: read("mute"),
      grid: read("grid"),
      rim: read("rim"),
      sphere: read("sphere"),
      shade: read("shade"),
      halo: read("halo"),
      accent: read("accent"),
      warn: read("warn"),
      background: read("background"),
      wedge: Number(read("wedge")),
      family: style.fontFamily,
    };
  }

  /** @param {string[]} texts what each cell shows */
  describe(texts) {
    this.places.forEach(({ area }, i) => area.setAttribute("aria-label", texts[i] ?? texts[0]));
  }

  /** A message over the stage; an empty one goes away. @param {string} text @param {string} [kind] @param {number} [forMs] */
  say(text, kind = "quiet", forMs = 0) {
    clearTimeout(this.noticeTimer);
    this.notice.textContent = text;
    this.notice.dataset.kind = kind;
    this.notice.hidden = !text;
    if (forMs) this.noticeTimer = setTimeout(() => this.say(""), forMs);
  }
}
