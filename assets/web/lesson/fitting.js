/**
 * How a lesson fits the window. In the hall nothing scrolls: first charts become lower, then
 * letters smaller.
 */
const LEAST_ROOM = 260;
/** What stands under a picture, in letters' heights: its transport, and a margin. */
const UNDER = { tape: 7, still: 1.4 };
const SQUEEZES = [[1, 1], [0.85, 1], [0.7, 1], [0.6, 0.95], [0.55, 0.9], [0.5, 0.85], [0.45, 0.8]];

export class Fitting {
  /** @param {import("./page.js").LessonPage} page */
  constructor(page) {
    this.page = page;
    this.resizes = new ResizeObserver(() => this.fit());
    this.resizes.observe(page.root);
    this.refit = () => this.fit();
    window.addEventListener("resize", this.refit);
  }

  /** What stands beside the picture. @param {HTMLElement} side */
  beside(side) {
    this.side = side;
    this.sides?.disconnect();
    this.sides = new ResizeObserver(() => this.#sideChanged());
    this.sides.observe(side);
  }

  /** How high a picture may be. @param {boolean} still without a transport */
  room(still) {
    const { root, figureEl, takeAway, data } = this.page;
    const letter = parseFloat(getComputedStyle(root).fontSize) || 14;
    const under = letter * (still ? UNDER.still : UNDER.tape);
    const present = data.view === "present";
    const top = figureEl.getBoundingClientRect().top + (present ? 0 : window.scrollY);
    const below = present && !takeAway.hidden ? takeAway.offsetHeight + letter : 0;
    return Math.max(LEAST_ROOM, window.innerHeight - (present ? top : Math.min(top, 200)) - under - below);
  }

  fit() {
    const { root, data } = this.page;
    const letters = root.clientWidth / (parseFloat(getComputedStyle(root).fontSize) || 14);
    root.dataset.width = letters >= 50 ? "wide" : "narrow";
    if (data?.view === "present") this.#squeeze();
    else this.#squeezeBy(SQUEEZES[0]);
  }

  /** The lesson in one window, as large as it can be. */
  #squeeze() {
    for (const squeeze of SQUEEZES) {
      this.#squeezeBy(squeeze);
      if (this.page.root.getBoundingClientRect().bottom <= window.innerHeight + 1) return;
    }
  }

  /** @param {number[]} squeeze */
  #squeezeBy([charts, letters]) {
    const { root, figure } = this.page;
    root.style.setProperty("--fv-chart-scale", String(charts));
    root.style.setProperty("--fv-squeeze", String(letters));
    figure?.fit();
  }

  /** What is beside the picture has become longer or shorter. */
  #sideChanged() {
    clearTimeout(this.soon);
    const { offsetHeight: height } = this.side;
    if (this.page.data.view !== "present" || Math.abs(height - (this.sideHeight ?? 0)) < 4) return;
    this.soon = setTimeout(() => {
      this.fit();
      this.sideHeight = this.side.offsetHeight;
    }, 60);
  }

  dispose() {
    this.resizes.disconnect();
    this.sides?.disconnect();
    clearTimeout(this.soon);
    window.removeEventListener("resize", this.refit);
  }
}
