/**
 * When charts and scrub bar are told of what is new: as often as can be read, with the next picture
 * or soon without one.
 */
/** How often, ms. */
const EVERY = 100;
const WITHOUT_PICTURE = 20;
const PICTURE_WITHIN = 400;

export class Telling {
  /** @param {import("./view.js").View} view */
  constructor(view) {
    this.view = view;
    this.last = 0;
  }

  soon() {
    if (this.timer) return;
    const soon = this.view.stage?.busy ? PICTURE_WITHIN : WITHOUT_PICTURE;
    const wait = Math.max(0, this.last + EVERY - performance.now());
    this.timer = setTimeout(() => this.#tell(), wait + soon);
  }

  /** A picture was drawn: what stands beside it comes in the same frame of the screen, which costs nothing more. */
  drawn() {
    if (this.timer && performance.now() - this.last >= EVERY) this.#tell();
  }

  #tell() {
    this.stop();
    this.last = performance.now();
    const { panel, transport, store, stage, status } = this.view;
    const shown = stage?.player.frame ?? null;
    panel.history(store, shown, status);
    transport.show(store, shown, status, stage?.player);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
