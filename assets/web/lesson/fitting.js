/**
 * How a lesson fits the window. In the hall nothing scrolls: first charts become lower, then
 * letters smaller. Then the picture takes what is left, and more where charts can give it.
 *
 * @typedef {[number, number]} Squeeze  heights of charts and letters, as shares of the wanted
 */
/** @type {Squeeze[]} */
const SQUEEZES = [[1, 1], [0.85, 1], [0.7, 1], [0.6, 0.95], [0.55, 0.9], [0.5, 0.85], [0.45, 0.8]];
/** What charts and letters give for a larger picture: heights of charts, and how much of the letters. */
const GIVES = [[0.7, 0], [0.7, 0.05], [0.6, 0.1]];
/** Letters that small are not made smaller for a picture. */
const LEAST_LETTERS = 0.85;
/** Of the window's width, the picture's side in the hall, percent; two pictures or wide charts need more. */
const SHARES = { square: [36, 42, 48, 54, 60], broad: [46, 50, 54, 58] };
/** By how much a picture must gain for others to give way. */
const WORTH = 1.02;
const LEAST_ROOM = 260;
/** Below what stands under a picture, in letters' heights. */
const MARGIN = 1.4;
/** Left free above the window's edge, in letters' heights. */
const EDGE = 0.5;
/** Where the page has become so much shorter there is room again, in letters' heights. */
const SHORTER = 3;

export class Fitting {
  /** @param {import("./page.js").LessonPage} page */
  constructor(page) {
    this.page = page;
    this.resizes = new ResizeObserver(() => this.#changed());
    this.resizes.observe(page.root);
    this.refit = () => this.fit();
    window.addEventListener("resize", this.refit);
  }

  /** What stands beside the picture. @param {HTMLElement} side */
  beside(side) {
    this.side = side;
    this.sides?.disconnect();
    this.sides = new ResizeObserver(() => this.#changed());
    this.sides.observe(side);
  }

  get #present() {
    return this.page.data?.view === "present";
  }

  get #letter() {
    return parseFloat(getComputedStyle(this.page.root).fontSize) || 14;
  }

  /** In the hall, whether nothing is below the window's edge. */
  get #fits() {
    return this.page.root.getBoundingClientRect().bottom <= window.innerHeight - EDGE * this.#letter;
  }

  /** How high a picture may be. @param {boolean} still without a transport */
  room(still) {
    const { root, figureEl, takeAway } = this.page;
    const letter = this.#letter;
    const transport = still ? 0 : (figureEl.querySelector(".fv-transport")?.offsetHeight ?? 0) + letter;
    const under = transport + MARGIN * letter;
    const { top } = figureEl.getBoundingClientRect();
    if (!this.#present) return Math.max(LEAST_ROOM, window.innerHeight - Math.min(top + window.scrollY, 200) - under);
    const below = takeAway.hidden || root.dataset.width === "wide" ? 0 : takeAway.offsetHeight + letter;
    return Math.max(LEAST_ROOM, window.innerHeight - top - under - below);
  }

  fit() {
    const { root } = this.page;
    root.dataset.width = root.clientWidth / this.#letter >= 50 ? "wide" : "narrow";
    if (this.#present) this.#squeeze();
    else this.#apply(SQUEEZES[0]);
    this.width = root.clientWidth;
    this.heights = this.#heights;
  }

  /** The lesson in one window, as large as it can be. */
  #squeeze() {
    const [least, ...larger] = SHARES[this.page.root.dataset.shape === "broad" ? "broad" : "square"];
    const fitting = this.#first(SQUEEZES, least);
    if (this.page.root.dataset.width !== "wide") {
      if (!fitting) this.#apply(SQUEEZES[0]); // a phone scrolls: small letters would help nobody
      return;
    }
    if (!fitting) return;
    let best = { squeeze: fitting, share: least, size: this.#pictured };
    const [charts, letters] = fitting;
    const gives = GIVES.map(([lower, smaller]) => /** @type {Squeeze} */ ([Math.min(charts, lower), Math.min(letters, Math.max(LEAST_LETTERS, letters - smaller))]));
    for (const share of larger) {
      this.#apply(fitting, share);
      if (this.#pictured < WORTH * best.size) continue; // the height does not allow it
      const squeeze = this.#fits ? fitting : this.#first(gives, share);
      if (!squeeze) break;
      if (this.#pictured > WORTH * best.size) best = { squeeze, share, size: this.#pictured };
    }
    this.#apply(best.squeeze, best.share);
  }

  /** The gentlest squeeze with which all fits. @param {Squeeze[]} squeezes @param {number} share @returns {Squeeze|undefined} */
  #first(squeezes, share) {
    return squeezes.find((squeeze) => {
      this.#apply(squeeze, share);
      return this.#fits;
    });
  }

  /** How large the picture is, pixels of area. */
  get #pictured() {
    const drawn = [...this.page.figureEl.querySelectorAll(".fv-stage, .fv-sketch, .fv-chart > svg")];
    return Math.max(0, ...drawn.map((one) => one.clientWidth * one.clientHeight));
  }

  /** @param {Squeeze} squeeze @param {number} [share] the picture's, percent */
  #apply([charts, letters], share = SHARES.square[0]) {
    const { root, figure } = this.page;
    root.style.setProperty("--fv-chart-scale", String(charts));
    root.style.setProperty("--fv-squeeze", String(letters));
    root.style.setProperty("--fv-picture", `${share}fr`);
    root.style.setProperty("--fv-words", `${100 - share}fr`);
    figure?.fit();
  }

  get #heights() {
    return [this.page.root.offsetHeight, this.side?.offsetHeight ?? 0];
  }

  /** Something is longer or shorter than when it was fitted: as long as it fits, nothing jumps. */
  #changed() {
    clearTimeout(this.soon);
    const { root } = this.page;
    const narrower = root.clientWidth !== this.width;
    if (!narrower && !this.#present) return;
    const shorter = Math.max(...this.#heights.map((height, i) => (this.heights?.[i] ?? height) - height));
    if (narrower) this.fit();
    else if (!this.#fits || shorter > SHORTER * this.#letter) this.soon = setTimeout(() => this.fit(), 60);
  }

  dispose() {
    this.resizes.disconnect();
    this.sides?.disconnect();
    clearTimeout(this.soon);
    window.removeEventListener("resize", this.refit);
  }
}
