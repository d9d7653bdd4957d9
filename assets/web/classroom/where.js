/**
 * Follow or roam: what is on a student's screen. Pure.
 *
 * @typedef {import("./seat.js").Scene} Scene
 * @typedef {{kind: "lesson", number: number, run?: any} | {kind: "try"}} Place  where a student goes on their own
 */

export class Where {
  /** @type {Place|null} on one's own; null while following */
  own = null;

  get follows() {
    return this.own === null;
  }

  follow() {
    this.own = null;
  }

  /** Look around, from where the lecturer is. @param {Scene} scene */
  leave(scene) {
    this.own ??= scene.kind === "lesson" ? { kind: "lesson", number: scene.number, run: scene.run } : { kind: "lesson", number: 1 };
  }

  /** @param {Place} place */
  go(place) {
    this.own = place;
  }

  /** @param {Scene} scene @returns {Scene|Place} what to show */
  shown(scene) {
    return this.own ?? scene;
  }
}

/** Whether the lecturer's vote is about the lesson on screen. @param {Scene|Place} shown @param {Scene} scene @param {import("./seat.js").Poll|null} poll */
export function votesOn(shown, scene, poll) {
  return shown.kind === "lesson" && scene.kind === "lesson" && poll !== null && scene.number === shown.number && poll.lesson === shown.number;
}
