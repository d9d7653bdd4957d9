/**
 * A WebSocket that comes back by itself: at once when the network is there again, else after growing
 * waits. Knows neither messages nor a DOM.
 *
 * @typedef {Object} Ends
 * @property {(data: any) => void} data      what came
 * @property {() => void} lost               the socket closed, another will be tried
 * @property {() => Promise<boolean>} [may]  asked before each try; false ends it
 *
 * @typedef {Object} Nature
 * @property {boolean} [far]      the other side is on another machine: it can be gone without a word
 * @property {number} [silence]   it says something at least so often, ms
 * @property {number[]} [final]   closed with one of these, it does not come back
 *
 * @typedef {{Socket?: any, random?: () => number}} World  what tests put in place of the browser's
 */
const FIRST_RETRY = 400;
const LONGEST_RETRY = 8000;
/** How long to stay away where the other side asked for quiet, ms. */
const QUIET = 10_000;
/** Closed because it was too quick, or because nothing is free. */
const QUIET_CODES = [4429, 4503];
/** The other side hangs up on who does not answer for so long, ms. */
const SLEEP = 15_000;

export class Lasting {
  /** @param {string} url @param {Ends} ends @param {Nature} [nature] @param {World} [world] */
  constructor(url, ends, nature = {}, { Socket = globalThis.WebSocket, random = Math.random } = {}) {
    this.url = url;
    this.ends = ends;
    this.silence = nature.silence ?? 0;
    this.final = nature.final ?? [];
    this.Socket = Socket;
    this.random = random;
    this.retry = FIRST_RETRY;
    this.closed = false;
    this.hurry = () => this.#now();
    this.woken = () => this.#wake();
    this.cut = () => this.#drop();
    globalThis.addEventListener?.("online", this.hurry);
    if (nature.far) {
      globalThis.addEventListener?.("offline", this.cut);
      globalThis.document?.addEventListener("visibilitychange", this.woken);
    }
    this.#open();
  }

  async #open() {
    this.timer = undefined;
    const mine = (this.mine = {});
    if (this.ends.may && !(await this.ends.may().catch(() => true))) this.close();
    if (this.closed || mine !== this.mine) return;
    const socket = new this.Socket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (/** @type {MessageEvent} */ event) => this.#take(socket, event.data);
    socket.onclose = (/** @type {CloseEvent} */ event) => this.#again(event.code);
    this.socket = socket;
  }

  /** @param {any} socket @param {any} data */
  #take(socket, data) {
    if (this.closed || socket !== this.socket) return;
    this.retry = FIRST_RETRY;
    clearTimeout(this.silent);
    if (this.silence) this.silent = setTimeout(() => this.#drop(), this.silence);
    this.ends.data(data);
  }

  /** The network is gone, though the socket does not know it. */
  #drop() {
    if (this.closed || !this.socket || this.timer !== undefined) return;
    this.#leave();
    this.#again(1006);
  }

  #leave() {
    this.socket.onclose = null;
    this.socket.close();
  }

  /** @param {number} code */
  #again(code) {
    clearTimeout(this.silent);
    if (this.closed || this.final.includes(code)) return;
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
    this.#leave();
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
