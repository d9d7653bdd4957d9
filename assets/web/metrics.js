/**
 * Figures that a benchmark reads: what was received and drawn, and how long it took. One object
 * per mounted view in `window.__facevis` (a list).
 */
const LENGTH = 2000;

export class Metrics {
  constructor() {
    this.mounts = 0;
    this.plotlyNewPlots = 0;
    this.frames = 0;
    this.snapshots = 0;
    this.bytes = 0;
    /** @type {{step: number, age_ms: number, bytes: number}[]} */
    this.painted = [];
    /** @type {number[]} times of canvas frames in motion, performance.now() */
    this.frameTimes = [];
    /** @type {number[]} ms spent drawing the canvas */
    this.drawCost = [];
    /** @type {number[]} */
    this.sliderToPaint = [];
    /** @type {number[]} */
    this.sliderToTrained = [];
    /** @type {import("./protocol.js").Frame|undefined} the last to be painted */
    this.last = undefined;
  }

  /** Measure from a slider's event to the end of the frame that shows it. @param {number} stamp */
  timeToPaint(stamp) {
    requestAnimationFrame(() => {
      // A task posted in a frame's callbacks runs once that frame is done.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => this.push(this.sliderToPaint, performance.now() - stamp);
      channel.port2.postMessage(0);
    });
  }

  /** A live snapshot is on screen. @param {import("./protocol.js").Frame} frame @param {Map<number, number>} asked commands under way and when they were given */
  arrived(frame, asked) {
    if (!(frame.time > 0) || frame === this.last) return;
    this.last = frame;
    const age = Date.now() - frame.time;
    this.push(this.painted, { step: frame.step, age_ms: age, bytes: frame.bytes });
    for (const [id, since] of asked) {
      if ((frame.applied ?? 0) < id) continue;
      this.push(this.sliderToTrained, performance.now() - since);
      asked.delete(id);
    }
  }

  /** @template T @param {T[]} ring @param {T} value */
  push(ring, value) {
    ring.push(value);
    if (ring.length > LENGTH) ring.splice(0, ring.length - LENGTH);
  }
}

/** @param {Metrics} metrics */
export function publish(metrics) {
  const host = /** @type {any} */ (globalThis);
  host.__facevis = host.__facevis ?? [];
  host.__facevis.push(metrics);
}

/** @param {Metrics} metrics */
export function withdraw(metrics) {
  const host = /** @type {any} */ (globalThis);
  host.__facevis = (host.__facevis ?? []).filter((/** @type {Metrics} */ m) => m !== metrics);
}
