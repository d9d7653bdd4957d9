/**
 * A WebSocket of JSON messages that comes back by itself: at once when the network is there again,
 * else after growing waits. Knows no DOM.
 *
 * @typedef {Object} Ends
 * @property {(message: any) => void} message
 * @property {() => void} lost               the socket closed, another will be tried
 * @property {() => Promise<boolean>} [may]  asked before each try; false ends the line
 */
const FIRST_RETRY = 400;
const LONGEST_RETRY = 8000;
/** How long to stay away where the other side asked for quiet, ms. */
const QUIET = 10_000;
/** The other side says something at least every ten seconds; after so long it is gone, ms. */
const SILENCE = 25_000;
/** The other side hangs up on who does not answer for so long, ms. */
const SLEEP = 15_000;
/** Closed because it was too quick, or because nothing is free. */
const QUIET_CODES = [4429, 4503];

export class Line {
  /**
   * @param {string} url @param {Ends} ends
   * @param {{Socket?: any, random?: () => number}} [world] what tests put in place of the browser's
   */
  constructor(url, ends, { Socket = globalThis.WebSocket, random = Math.random } = {}) {
    this.url = url;
    this.ends = ends;
    this.Socket = Socket;
    this.random = random;
    this.retry = FIRST_RETRY;
    this.closed = false;
    this.hurry = () => this.#now();
    this.woken = () => this.#wake();
    this.cut = () => this.#drop();
    globalThis.addEventListener?.("online", this.hurry);
    globalThis.addEventListener?.("offline", this.cut);
    globalThis.document?.addEventListener("visibilitychange", this.woken);
    this.#open();
  }

  async #open() {
    this.timer = undefined;
    if (this.ends.may && !(await this.ends.may().catch(() => true))) this.close();
    if (this.closed) return;
    const socket = new this.Socket(this.url);
    socket.onmessage = (/** @type {MessageEvent} */ event) => {
      if (this.closed) return;
      this.retry = FIRST_RETRY;
      this.#heard();
      const message = JSON.parse(event.data);
      if (message.type !== "here") this.ends.message(message);
    };
    socket.onclose = (/** @type {CloseEvent} */ event) => this.#again(event.code);
    this.socket = socket;
  }

  #heard() {
    clearTimeout(this.silent);
    this.silent = setTimeout(() => this.#drop(), SILENCE);
  }

  /** The network is gone, though the socket does not know it. */
  #drop() {
    if (this.closed || !this.socket || this.timer !== undefined) return;
    this.socket.onclose = null;
    this.socket.close();
    this.#again(1006);
  }

  /** @param {number} code */
  #again(code) {
    clearTimeout(this.silent);
    if (this.closed) return;
    this.ends.lost();
    if (QUIET_CODES.includes(code)) this.retry = QUIET;
    this.timer = setTimeout(() => this.#open(), this.retry * (0.8 + 0.4 * this.random()));
    this.retry = Math.min(LONGEST_RETRY, this.retry * 2);
  }

  /** The network is back: no more waiting. */
  #now() {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.#open();
  }

  /** A phone that slept does not know that the other side has hung up: what may be dead is opened anew. */
  #wake() {
    if (document.hidden) {
      this.slept = Date.now();
      return;
    }
    if (!this.socket || Date.now() - (this.slept ?? Infinity) < SLEEP) return;
    this.socket.onclose = null;
    this.socket.close();
    clearTimeout(this.timer);
    this.#open();
  }

  get open() {
    return this.socket?.readyState === 1;
  }

  /** @param {Record<string, any>} message @returns {boolean} whether it left */
  send(message) {
    if (!this.open) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.silent);
    globalThis.removeEventListener?.("online", this.hurry);
    globalThis.removeEventListener?.("offline", this.cut);
    globalThis.document?.removeEventListener("visibilitychange", this.woken);
    this.socket?.close();
  }
}

/** @param {string} path */
export function socketAddress(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}
