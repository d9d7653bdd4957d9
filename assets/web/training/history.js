/**
 * What has been told of a run so far, in columns: a journal that is told anew begins again, and a
 * long one is thinned. Pure.
 *
 * @typedef {Object} Answer what the server tells; see facevis/fullscale/watching.py
 * @property {boolean} anew @property {string} at @property {Record<string, (number|null)[]>} train @property {any[]} others
 */

/** From so many points on, every other one is left out. */
const MOST = 4000;
const MOST_EVENTS = 200;

export class History {
  constructor() {
    this.clear();
  }

  clear() {
    this.at = "";
    /** @type {Record<string, (number|null)[]>} */
    this.train = {};
    /** @type {any[]} */
    this.evaluations = [];
    /** @type {any[]} */
    this.angles = [];
    /** @type {any[]} */
    this.events = [];
  }

  /** Take in an answer; whether there is something new to draw. @param {Answer} answer */
  take(answer) {
    const before = this.at;
    if (answer.anew) this.clear();
    this.at = answer.at;
    for (const [name, values] of Object.entries(answer.train)) (this.train[name] ??= []).push(...values);
    if ((this.train.step?.length ?? 0) >= MOST) this.#thin();
    for (const entry of answer.others) {
      if (entry.kind === "evaluation") this.evaluations.push(entry);
      else if (entry.kind === "angles") this.angles.push(entry);
      else this.events.push(entry);
    }
    this.events = this.events.slice(-MOST_EVENTS);
    return answer.at !== before;
  }

  /** Every other point, and the last one. */
  #thin() {
    const last = this.train.step.length - 1;
    for (const name of Object.keys(this.train)) {
      this.train[name] = this.train[name].filter((_, i) => i % 2 === 0 || i === last);
    }
  }

  /** The last number of a curve that is one. @param {string} name @returns {number|undefined} */
  last(name) {
    const values = this.train[name] ?? [];
    for (let i = values.length - 1; i >= 0; i -= 1) if (Number.isFinite(values[i])) return /** @type {number} */ (values[i]);
    return undefined;
  }
}

/** Seconds that a run will still take. @param {{step: number, steps: number, batch_size: number}} run @param {number|undefined} speed pictures a second */
export function secondsLeft({ step, steps, batch_size }, speed) {
  return speed > 0 ? ((steps - step) * batch_size) / speed : NaN;
}

/** Hours, minutes and seconds, as a clock writes them. @param {number} seconds */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const all = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** What happened, newest first; of checkpoints that say nothing, the last one. @param {any[]} events @param {number} most */
export function shownEvents(events, most) {
  let checkpoints = 0;
  const newest = [...events].reverse();
  return newest.filter((one) => one.event !== "checkpoint" || one.sentence || checkpoints++ === 0).slice(0, most);
}
