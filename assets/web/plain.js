/**
 * The plainest face of a view: pictures of the members that are asked for, and nothing beside them.
 * Who shows it hears what is on screen and may set the caps' margin or turn a cell to another
 * member. Lessons are built on it.
 *
 * @typedef {Object} Heard  what the view's user wants to hear; all may be left out
 * @property {(run: any) => void} [begun]
 * @property {(stage: import("./stage.js").Stage, frame: import("./protocol.js").Frame) => void} [shown]
 * @property {(store: import("./store.js").FrameStore, frame: import("./protocol.js").Frame|null) => void} [history]
 */
import { h } from "./dom.js";
import { captionOf } from "./caption.js";

export class Plain {
  /**
   * @param {import("./skeleton.js").Skeleton} skeleton @param {{words: import("./words.js").Words, data: any}} context
   */
  constructor(skeleton, { words, data }) {
    this.skeleton = skeleton;
    this.words = words;
    this.data = data;
    /** @type {Heard} */
    this.heard = data.heard ?? {};
    skeleton.panel.hidden = true;
  }

  /** @returns {number[]} one for each cell */
  members() {
    return this.data.members;
  }

  values() {}

  /** @returns {Record<string, string>} nothing of it belongs into a link */
  linked() {
    return {};
  }

  /** @param {any} run */
  introduce(run) {
    this.run = run;
    this.#captions(this.data.members);
    this.heard.begun?.(run);
  }

  /** @param {number[]} members */
  #captions(members) {
    const { places } = this.skeleton;
    if (!this.data.captions || places.length !== members.length) return;
    members.forEach((member, i) => {
      const spoken = this.run.members[Math.round(member)];
      if (places[i] === this.captioned?.[i]?.place && spoken === this.captioned[i].spoken) return;
      this.captioned = { ...this.captioned, [i]: { place: places[i], spoken } };
      const { name, detail } = captionOf(named(spoken), this.words, this.data.lang);
      places[i].head.replaceChildren(h("strong", { text: name }), h("span", { text: detail }));
    });
  }

  /** Caps of each member's own margin, or of the one that is set. @param {import("./stage.js").Stage} stage */
  dress(stage) {
    for (const [i, cell] of stage.cells.entries()) {
      const { margin, in_margin_family: family } = stage.run.members[Math.round(this.data.members[i])];
      const [m1, m2, m3] = this.data.margin ?? margin;
      cell.setMargin(this.data.caps && family ? { m1, m2, m3 } : null);
    }
  }

  /** Another member in a cell. @param {import("./stage.js").Stage|undefined} stage @param {number} place @param {number} member may lie between two */
  turn(stage, place, member) {
    this.data.members = this.data.members.map((/** @type {number} */ m, /** @type {number} */ i) => (i === place ? member : m));
    if (!stage) return;
    stage.cells[place].player.turnTo(member, performance.now());
    this.#captions(this.data.members);
    this.dress(stage);
    stage.invalidate();
  }

  /** @param {import("./stage.js").Stage} stage @param {import("./protocol.js").Frame} frame */
  picture(stage, frame) {
    this.heard.shown?.(stage, frame);
  }

  /** @param {import("./store.js").FrameStore} store @param {import("./protocol.js").Frame|null} shown */
  history(store, shown) {
    this.heard.history?.(store, shown);
  }

  pinned() {}

  answer() {}

  place() {}

  redraw() {}

  dispose() {}
}

/** Without a margin every loss of the family is the normalised softmax. @param {any} member */
function named(member) {
  const [m1, m2, m3] = member.margin;
  return member.in_margin_family && m1 === 1 && !m2 && !m3 ? { ...member, objective: "normalized_softmax" } : member;
}
