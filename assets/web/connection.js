/**
 * The WebSocket of a run: reconnects by itself, acknowledges every frame it has taken, sends
 * commands. Steering is sent at most every 30 ms, always with the newest values.
 */

const FIRST_RETRY = 400;
const LONGEST_RETRY = 8000;
const STEER_EVERY = 30;

export class Connection {
  /**
   * @param {string} url
   * @param {{message: (message: any) => void, frame: (buffer: ArrayBuffer) => void,
   *          lost: () => void}} handlers
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    this.closed = false;
    this.retry = FIRST_RETRY;
    this.commands = 0;
    /** @type {Record<string, any>|null} */
    this.pending = null;
    this.lastSteer = 0;
    this.#open();
  }

  #open() {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.#take(socket, event.data);
    socket.onclose = (event) => this.#reopen(event.code);
    this.socket = socket;
  }

  /** @param {WebSocket} socket @param {string|ArrayBuffer} data */
  #take(socket, data) {
    if (this.closed) return;
    if (typeof data === "string") {
      this.retry = FIRST_RETRY;
      this.handlers.message(JSON.parse(data));
      return;
    }
    this.handlers.frame(data);
    if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ack"}');
  }

  /** @param {number} code */
  #reopen(code) {
    if (this.closed || code === 4404) return; // no such run: asking again would not help
    this.handlers.lost();
    this.timer = setTimeout(() => this.#open(), this.retry * (0.8 + 0.4 * Math.random()));
    this.retry = Math.min(LONGEST_RETRY, this.retry * 2);
  }

  /** @param {Record<string, any>} message @returns {boolean} whether it left */
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
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
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.steerTimer);
    this.socket?.close();
  }
}
