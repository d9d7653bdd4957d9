/** A lesson's tapes: where they lie on a server, and each of them opened once. */
import { openTape } from "../tape.js";

/** @typedef {import("../tape.js").Tape} Tape */

/** Shipped ones by name, a run's own as "run/TOKEN". @param {string} base @param {string} name @returns {Promise<Uint8Array>} */
export async function fetchTape(base, name) {
  const own = name.startsWith("run/") ? `runs/${name.slice(4)}/lesson` : `tapes/${name}`;
  const answer = await fetch(`${base}/${own}.tape`);
  if (!answer.ok) throw new Error(`${name}.tape: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

export class Tapes {
  /** @param {(name: string) => Promise<Uint8Array>} bytes of a tape @param {(missing: boolean) => void} told hears how each try ended */
  constructor(bytes, told) {
    this.bytes = bytes;
    this.told = told;
    /** @type {Map<string, Promise<Tape>>} */
    this.known = new Map();
  }

  /** @param {string} name @returns {Promise<Tape>} */
  get(name) {
    const known = this.known.get(name);
    if (known) return known;
    const tape = this.bytes(name).then(openTape);
    this.known.set(name, tape);
    tape.then(() => this.told(false), (error) => {
      console.warn(error);
      this.known.delete(name); // another try may find it
      this.told(true);
    });
    return tape;
  }
}
