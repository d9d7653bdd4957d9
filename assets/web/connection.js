/**
 * The WebSocket of a run: comes back by itself, acknowledges every frame it has taken, sends
 * commands. Steering is sent at most every 30 ms, always with the newest values.
 */
import { Lasting } from "./lasting.js";

const STEER_EVERY = 30;
/** There is no such run: asking again would not help. */
const GONE = 4404;

export class Connection extends Lasting {
  /**
   * @param {string} url
   * @param {{message: (message: any) => void, frame: (buffer: ArrayBuffer) => void, lost: () => void}} handlers
   * @param {boolean} [far] whether the run is on another machine
   * @param {import("./lasting.js").World} [world]
   */
  constructor(url, handlers, far = false, world = undefined) {
    const data = (/** @type {string|ArrayBuffer} */ said) => this.#take(said);
    super(url, { data, lost: handlers.lost }, { far, final: [GONE] }, world);
    this.handlers = handlers;
    this.commands = 0;
    /** @type {Record<string, any>|null} */
    this.pending = null;
    this.lastSteer = 0;
  }

  /** @param {string|ArrayBuffer} said */
  #take(said) {
    if (typeof said === "string") {
      this.handlers.message(JSON.parse(said));
      return;
    }
    this.handlers.frame(said);
    this.send({ type: "ack" });
  }

  /**
   * Steer a member; calls in quick succession collapse into one message.
   * @param {number} member @param {number[]} margin @param {number} scale
   * @returns {number} the command's number, growing from 1
   */
  steer(member, margin, scale) {
    if (!this.pending) this.commands += 1;
    this.pending = { type: "set", member, margin, scale, id: this.commands };
    const wait = this.lastSteer + STEER_EVERY - performance.now();
    if (wait <= 0) this.#flush();
    else if (!this.steerTimer) this.steerTimer = setTimeout(() => this.#flush(), wait);
    return this.commands;
  }

  #flush() {
    clearTimeout(this.steerTimer);
    this.steerTimer = undefined;
    if (!this.pending) return;
    this.lastSteer = performance.now();
    this.send(this.pending);
    this.pending = null;
  }

  close() {
    clearTimeout(this.steerTimer);
    super.close();
  }
}
