/**
 * A run that was computed here: prototypes (and points) without training, as the live view opens
 * it. What moves sends another frame.
 */
import { encodeFrame } from "../protocol.js";
import { Unmanned } from "../tape.js";

export class Placed extends Unmanned {
  /**
   * @param {{dim: number, names: string[], labels?: number[], packing: number, exact: boolean, sprite?: any}} about packing: radians
   * @param {{message: (message: any) => void, frame: (buffer: ArrayBuffer) => void}} handlers
   */
  constructor({ dim, names, labels = [], packing, exact, sprite = null }, handlers) {
    super();
    this.handlers = handlers;
    this.steps = 0;
    /** @type {any} */
    const member = { objective: "combined", margin: [1, 0, 0], scale: 1, tail: "monotone", gradient: "exact", spherical: true, in_margin_family: true, warmup: 0, distance_margin: null, mining: null };
    handlers.message({
      type: "run", version: 1, dim, labels, held_out: null, some_held_out: false, class_names: names, unseen_names: [],
      points: labels.length, sprite, members: [member], packing_angle: packing, packing_exact: exact, seed: 0,
      state: "recorded", step: 0, steps: 1, steps_per_second: 0, message: null,
    });
  }

  /** @param {ArrayLike<number>} prototypes (K, D) @param {ArrayLike<number>} [points] */
  put(prototypes, points) {
    if (this.closed) return;
    this.steps += 1;
    this.handlers.frame(encodeFrame({ step: this.steps, prototypes, points }));
  }
}
