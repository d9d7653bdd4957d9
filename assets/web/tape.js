/**
 * Tapes: recordings that need no server. A tape is a gzip of uint32 header length | JSON header |
 * frames as the stream sends them | a sheet of small pictures. facevis/lessons/tapes.py writes it.
 *
 * @typedef {Object} Tape
 * @property {any} run              the run's description
 * @property {any} extra            numbers that only the trained model knows
 * @property {ArrayBuffer[]} frames
 */

/** @param {Uint8Array} bytes a whole tape @returns {Promise<Tape>} */
export async function openTape(bytes) {
  const packed = new Blob([/** @type {any} */ (bytes)]).stream();
  const buffer = await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  const frames = header.lengths.map((/** @type {number} */ size) => buffer.slice(at, (at += size)));
  const sheet = new Blob([buffer.slice(at, at + header.sheet)], { type: "image/webp" });
  const sprite = { ...header.run.sprite, url: URL.createObjectURL(sheet) };
  return { run: { ...header.run, sprite }, extra: header.extra, frames };
}

/** What stands in for a connection where nobody trains: nothing that is said to it has an effect. */
export class Unmanned {
  closed = false;

  /** @returns {boolean} whether it left */
  send() {
    return false;
  }

  /** @returns {number} */
  steer() {
    return 0;
  }

  close() {
    this.closed = true;
  }
}

/** A tape in place of a connection: it hands over all it has, once. */
export class Taped extends Unmanned {
  /**
   * @param {Promise<Tape>} tape
   * @param {{message: (message: any) => void, frame: (buffer: ArrayBuffer) => void, lost: () => void}} handlers
   */
  constructor(tape, handlers) {
    super();
    tape.then(({ run, frames }) => {
      if (this.closed) return;
      handlers.message(run);
      frames.forEach(handlers.frame);
    }, () => handlers.lost()); // who fetches the tape says what is wrong
  }
}
