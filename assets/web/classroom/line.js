/**
 * A line of JSON messages to the room.
 *
 * @typedef {Object} Ends
 * @property {(message: any) => void} message
 * @property {() => void} lost               the socket closed, another will be tried
 * @property {() => Promise<boolean>} [may]  asked before each try; false ends the line
 */
import { Lasting } from "../lasting.js";

/** The room says something at least every ten seconds; after so long it is gone, ms. */
const SILENCE = 25_000;

export class Line extends Lasting {
  /** @param {string} url @param {Ends} ends @param {import("../lasting.js").World} [world] */
  constructor(url, { message, ...ends }, world) {
    const data = (/** @type {string} */ text) => {
      const said = JSON.parse(text);
      if (said.type !== "here") message(said);
    };
    super(url, { ...ends, data }, { far: true, silence: SILENCE }, world);
  }
}
