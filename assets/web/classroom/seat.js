/**
 * A student's seat in the room: what the room tells, the one vote, and the way back after a loss. A
 * vote that was on its way when the line broke is sent again until the room has answered it.
 *
 * @typedef {{kind: "none"} | {kind: "lesson", number: number, lang: string, run: {token: string, title: string}|null}
 *   | {kind: "run", token: string, mode: string, projection: string|null, [more: string]: any}} Scene
 * @typedef {{lesson: number, phase: "closed"|"open"|"locked"|"revealed", choice: number|null, total: number, counts: number[]|null}} Poll
 *
 * @typedef {Object} Told
 * @property {() => void} changed   the room says something new: `scene`, `poll`, `vote`
 * @property {(position: number|null, limit: number) => void} full
 * @property {() => void} lost
 * @property {() => void} out       there is no such seat (any more): join first
 */
import { socketAddress } from "../lasting.js";
import { Line } from "./line.js";

export class Seat {
  /** @param {string} base @param {Told} told @param {any} [world] for tests */
  constructor(base, told, world) {
    this.told = told;
    /** @type {Scene} */
    this.scene = { kind: "none" };
    /** @type {Poll|null} */
    this.poll = null;
    /** @type {{lesson: number, choice: number, result?: string, sent?: any}|null} the vote that the room has not counted yet, or has refused */
    this.vote = null;
    const ends = {
      message: (/** @type {any} */ message) => this.#take(message),
      lost: () => told.lost(),
      may: async () => {
        const answer = await (world?.fetch ?? fetch)(`${base}/joined`);
        if (answer.status === 200) told.out();
        return answer.status !== 200;
      },
    };
    this.line = new Line(world?.url ?? socketAddress(`${base}/seat`), ends, world);
  }

  /** @param {any} message */
  #take(message) {
    if (message.type === "full") this.told.full(message.position, message.limit);
    else if (message.type === "state") {
      this.scene = message.scene;
      this.poll = message.poll;
      this.#settle();
      this.told.changed();
    } else if (message.type === "voted") {
      const { vote } = this;
      if (!vote || vote.lesson !== message.lesson) return;
      // What was counted comes with the state; an earlier vote stands, and comes with it too.
      if (!["counted", "twice"].includes(message.result)) this.vote = { ...vote, result: message.result };
      this.told.changed();
    } else if (message.type === "error") console.warn(message.message);
  }

  /** A vote on its way that the room knows, or can no longer take. */
  #settle() {
    const { vote, poll } = this;
    if (!vote) return;
    if (!poll || poll.lesson !== vote.lesson || poll.choice !== null || poll.phase === "closed") this.vote = null;
    else if (poll.phase !== "open") this.vote = { ...vote, result: "locked" };
    else if (!vote.result && vote.sent !== this.line.socket) this.#send();
  }

  /** @param {number} lesson @param {number} choice */
  cast(lesson, choice) {
    if (this.poll?.lesson !== lesson || this.poll.phase !== "open" || this.poll.choice !== null) return;
    this.vote = { lesson, choice };
    this.#send();
    this.told.changed();
  }

  #send() {
    const { lesson, choice } = this.vote;
    if (this.line.send({ type: "vote", lesson, choice })) this.vote.sent = this.line.socket;
  }

  close() {
    this.line.close();
  }
}
