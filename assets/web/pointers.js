/**
 * The pointer over a stage: every cell tells what lies under it, and the scene with its camera goes
 * to the cell where the pointer is.
 */
import { Hover } from "./hover.js";

export class Pointers {
  /**
   * @param {import("./skeleton.js").Skeleton} skeleton @param {import("./stage.js").Stage} stage
   * @param {import("./words.js").Words} words @param {string} lang
   * @param {(sample: number|null) => void} pinned hears of every click
   */
  constructor(skeleton, stage, words, lang, pinned) {
    this.hovers = stage.cells.map((cell, i) => {
      const { area, tip } = skeleton.places[i];
      const take = () => {
        if (stage.scene.dragging) return;
        skeleton.lend(i);
        stage.here = cell;
      };
      if (stage.cells.length > 1) area.addEventListener("pointerenter", take);
      return new Hover(area, tip, stage, cell, words, lang, pinned);
    });
  }

  /** The pictures have moved on. */
  follow() {
    for (const hover of this.hovers) hover.follow();
  }

  /** Let a pinned sample go. */
  release() {
    for (const hover of this.hovers) hover.release();
  }

  dispose() {
    for (const hover of this.hovers) hover.dispose();
  }
}
