/**
 * A recorded run inside a lesson: the live view itself, with its plain face, on a tape. Lessons say
 * which members are shown and hear what is on screen.
 *
 * @typedef {Object} Wish
 * @property {string} key            what is shown; another key is another run
 * @property {(handlers: any) => any} open  makes the connection
 * @property {number[]} members      one cell each
 * @property {boolean} [captions]
 * @property {boolean} [caps]        draw admissible caps
 * @property {boolean} [project]     put open space onto the circle
 * @property {boolean} [still]       no transport: nothing was recorded over time
 * @property {number[]} [margin]     whose caps, if not the member's own
 */
import { View } from "../view.js";
import { stateOf } from "../linked.js";
import { Taped } from "../tape.js";

export class Picture {
  /**
   * @param {HTMLElement} host @param {import("./page.js").Context} context
   * @param {import("../plain.js").Heard} heard
   */
  constructor(host, context, heard = {}) {
    this.context = context;
    this.heard = heard;
    this.view = new View(host, context.loadPlotly);
    /** The step to begin at; the last if none is named. @type {number|undefined} */
    this.from = context.revealed() ? context.start.step : 0;
  }

  /** A tape as the view opens it. @param {string} name @returns {(handlers: any) => any} */
  tape(name) {
    return (handlers) => new Taped(this.context.tape(name), handlers);
  }

  /** @param {Wish} wish */
  show(wish) {
    const { context } = this;
    const { words: _, ...shared } = context.view();
    this.wish = wish;
    this.data = {
      ...shared,
      mode: "plain",
      token: wish.key,
      open: wish.open,
      members: [...wish.members],
      captions: wish.captions ?? false,
      caps: wish.caps ?? false,
      margin: wish.margin,
      still: wish.still ?? false,
      project_to_circle: wish.project ?? false,
      at: this.from,
      room: () => context.room(wish.still ?? false),
      heard: this.heard,
      controls: [],
      ranges: {},
    };
    this.view.update({ parentElement: this.view.parent, data: this.data, setStateValue() {}, setTriggerValue() {} });
    const { camera } = context.start;
    if (camera) this.view.begin({ camera });
  }

  get stage() {
    return this.view.stage;
  }

  /** The frame on screen. @returns {import("../protocol.js").Frame|null} */
  get frame() {
    return this.stage?.player.frame ?? null;
  }

  /** @param {number} place @param {number} member */
  turn(place, member) {
    this.view.panel.turn(this.stage, place, member);
  }

  /** @param {number[]} margin */
  setMargin(margin) {
    this.data.margin = margin;
    if (!this.stage) return;
    this.view.panel.dress(this.stage);
    this.stage.invalidate();
  }

  /** From the first frame to the last; the last at once where motion is not wanted. */
  play() {
    this.from = undefined;
    if (this.data) this.data.at = undefined;
    this.view.driver.untouched = false;
    const { stage, still, store } = this.view;
    if (!stage) {
      if (this.data) this.data.autoplay = !still;
      this.view.driver.untouched = true;
    } else if (still) this.view.driver.seek(store.kept.length - 1);
    else this.view.driver.replay();
  }

  /** New colours or another size of letters. */
  relook() {
    if (this.wish && this.data) {
      Object.assign(this.data, this.context.view());
      this.view.update({ ...this.view.component, data: this.data });
    }
  }

  /** From the first frame on nothing is held back: the last is shown. */
  atTheEnd() {
    this.from = this.context.revealed() ? this.context.start.step : undefined;
    return this;
  }

  toggle() {
    if (this.#plays()) this.view.driver.toggle();
  }

  rewind() {
    if (this.#plays()) this.view.driver.rewind();
  }

  /** Before the answer the figure stands still. */
  #plays() {
    return this.wish && !this.wish.still && this.context.revealed();
  }

  fit() {
    if (this.wish) this.view.resize();
  }

  /** What of it belongs into a link. */
  state() {
    return this.wish ? stateOf(this.view) : {};
  }

  dispose() {
    this.view.dispose();
  }
}
