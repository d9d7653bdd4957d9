/**
 * Which picture is on screen: following the live run, held at a step, or replaying the recording.
 * It blends between snapshots and knows time, but neither DOM nor pixels.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {import("./store.js").FrameStore} FrameStore
 */
import { readPoints, readPrototypes } from "./protocol.js";
import { interpolate, longestRow, ontoSphere } from "./store.js";

/** Longest blend between two live snapshots, ms: more would make the picture old. */
const TWEEN = 90;
const SEEK_TWEEN = 120;
/** Live snapshots that come so seldom, ms, are one of many viewers'. */
const SELDOM = 110;
/** A screen that is later than its pace by so much, ms, gains nothing by blends; now and then it is asked again. */
const LATE = 30;
const ASKED_AGAIN = 40;

export class Player {
  /**
   * @param {FrameStore} store
   * @param {{points: number, classes: number, dim: number, member: number}} shape
   * @param {(frame: Frame) => void} onShown called when a snapshot is reached
   */
  constructor(store, shape, onShown) {
    this.store = store;
    this.shape = shape;
    /** Which member; between two whole numbers, a blend of two members. */
    this.member = shape.member;
    this.onShown = onShown;
    /** @type {"live"|"hold"|"replay"} */
    this.mode = "live";
    this.flat = true; // shown on the circle or sphere
    this.inside = false; // points may lie inside the ball
    this.project = false; // put onto it by us
    this.still = false; // no blending (reduced motion)
    this.from = this.#blank();
    this.to = this.#blank();
    this.picture = this.#blank();
    this.next = this.#blank();
    /** @type {Frame|null} */
    this.frame = null;
    this.reached = true;
    this.start = 0;
    this.duration = TWEEN;
    this.cursor = 0;
    this.waited = 0;
    this.seconds = 6;
    this.lastArrival = 0;
    this.interval = TWEEN;
    this.expected = Infinity; // when the next snapshot is due
    this.beat = 16; // ms between frames of the screen
    this.pace = 16; // and what they should be
    this.calm = false; // one of many who watch
    this.unblended = 0;
  }

  #blank() {
    const { points, classes, dim } = this.shape;
    return {
      points: new Float32Array(points * dim),
      prototypes: new Float32Array(classes * dim),
      radius: 1,
    };
  }

  /** Read a frame as it is shown. @param {Frame} frame @param {any} into */
  #read(frame, into) {
    const { dim } = this.shape;
    const member = Math.floor(this.member);
    readPoints(frame, member, into.points);
    ontoSphere(readPrototypes(frame, member, into.prototypes), dim);
    into.radius = 1;
    if (member < this.member) this.#mix(frame, member + 1, this.member - member, into);
    if (this.project) ontoSphere(into.points, dim);
    else if (!this.flat) {
      into.radius = Math.max(longestRow(into.points, dim), 1e-6);
      for (let i = 0; i < into.points.length; i += 1) into.points[i] /= into.radius;
    }
  }

  /** Part of the way to another member. @param {Frame} frame @param {number} member @param {number} share @param {any} into */
  #mix(frame, member, share, into) {
    const { dim } = this.shape;
    readPoints(frame, member, this.next.points);
    ontoSphere(readPrototypes(frame, member, this.next.prototypes), dim);
    interpolate(into.points, this.next.points, share, dim, this.flat && !this.inside, into.points);
    interpolate(into.prototypes, this.next.prototypes, share, dim, true, into.prototypes);
  }

  /** Show another member of the same moment, at once. @param {number} member @param {number} now */
  turnTo(member, now) {
    this.member = member;
    if (this.frame) this.#turnTo(this.frame, now, 0);
  }

  /** A live snapshot came. @param {Frame} frame @param {number} now */
  follow(frame, now) {
    if (this.mode !== "live") return;
    if (this.lastArrival) this.interval += (now - this.lastArrival - this.interval) * 0.2;
    this.lastArrival = now;
    this.#turnTo(frame, now, this.#spares() ? 0 : Math.min(TWEEN, this.interval * 0.85));
    this.expected = now + this.interval * 0.95;
  }

  /** Where many watch and the screen is slow, each snapshot is one picture. */
  #spares() {
    const slow = (this.calm || this.interval > SELDOM) && this.beat > this.pace + LATE;
    if (!slow) return false;
    this.unblended += 1;
    return this.unblended % ASKED_AGAIN !== 0;
  }

  /** @param {Frame} frame @param {number} now @param {number} duration */
  #turnTo(frame, now, duration) {
    const first = !this.frame;
    this.#copyPicture();
    this.#read(frame, this.to);
    this.frame = frame;
    this.reached = false;
    this.start = now;
    this.duration = first || this.still ? 0 : duration;
  }

  #copyPicture() {
    this.from.points.set(this.picture.points);
    this.from.prototypes.set(this.picture.prototypes);
    this.from.radius = this.picture.radius;
  }

  /** Hold the kept frame with this index. @param {number} index @param {number} now */
  seek(index, now) {
    const frame = this.store.kept[index];
    if (!frame) return;
    this.mode = "hold";
    this.cursor = index;
    this.#turnTo(frame, now, SEEK_TWEEN);
  }

  /** Stand still where the picture is. */
  hold() {
    this.mode = "hold";
    this.cursor = Math.max(0, this.store.indexAt(this.frame?.step ?? 0));
  }

  /** Play the recording, from its first frame or a later one. @param {number} now @param {number} seconds of the whole @param {number} [from] index */
  replay(now, seconds, from = 0) {
    this.mode = "replay";
    this.cursor = from;
    this.seconds = seconds;
    this.waited = 0;
    this.lastTick = now;
  }

  /** Back to what is newest. @param {number} now */
  goLive(now) {
    this.mode = "live";
    const { newest } = this.store;
    this.expected = Infinity;
    if (newest && newest !== this.frame) this.#turnTo(newest, now, SEEK_TWEEN);
  }

  /** Read the shown frame again (projection or member changed). @param {number} now */
  refresh(now) {
    if (this.frame) this.#turnTo(this.frame, now, SEEK_TWEEN);
  }

  /** Move on; true if the picture changed. @param {number} now */
  advance(now) {
    const passed = now - (this.lastBeat ?? now); // 0 after a wait
    if (passed > 0 && passed < 400) this.beat += (passed - this.beat) * 0.15;
    this.lastBeat = now;
    if (this.mode === "replay") return this.#advanceReplay(now);
    if (this.reached || !this.frame) return false;
    // The last frame of the screen before the next snapshot is due arrives, however slow the screen.
    const last = this.mode === "live" && now + this.beat >= this.expected;
    const share = this.duration && !last ? Math.min(1, (now - this.start) / this.duration) : 1;
    this.#blend(share);
    if (share >= 1) {
      this.reached = true;
      this.lastBeat = undefined; // what follows is a wait, not a beat
      this.onShown(this.frame);
    }
    return true;
  }

  /** @param {number} share */
  #blend(share) {
    const { dim } = this.shape;
    const bent = (this.flat && !this.inside) || this.project;
    interpolate(this.from.points, this.to.points, share, dim, bent, this.picture.points);
    interpolate(this.from.prototypes, this.to.prototypes, share, dim, true, this.picture.prototypes);
    this.picture.radius = this.from.radius + (this.to.radius - this.from.radius) * share;
  }

  /** @param {number} now */
  #advanceReplay(now) {
    const { kept } = this.store;
    // The screen's clock may lag behind the one that started the replay: never go backwards.
    const passed = Math.max(0, Math.min(0.1, (now - (this.lastTick ?? now)) / 1000));
    this.waited += passed;
    // The recording may still be on its way.
    if (!kept.length || (kept.length < 2 && this.waited < 1)) {
      this.lastTick = now;
      return false;
    }
    const last = kept.length - 1;
    this.lastTick = now;
    this.cursor = Math.min(last, this.cursor + (passed * Math.max(last, 1)) / this.seconds);
    const index = Math.floor(this.still ? Math.round(this.cursor) : this.cursor);
    const share = this.still ? 0 : this.cursor - index;
    this.#read(kept[index], this.from);
    this.#read(kept[Math.min(last, index + 1)], this.to);
    this.#blend(share);
    this.frame = kept[index];
    this.reached = true;
    if (this.cursor >= last) this.mode = "live";
    this.onShown(this.frame);
    return true;
  }
}
