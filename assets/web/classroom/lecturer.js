/** The lecturer's lesson in a classroom: the lesson page, the desk that it speaks to, and the way into the room. */
import { socketAddress } from "../lasting.js";
import { LessonPage } from "../lesson/page.js";
import { wordsFrom } from "../words.js";
import { Line } from "./line.js";
import { NEXT_ACT, lecturersVote } from "./phases.js";
import { RoomPanel } from "./roompanel.js";
import { RoomQuestion } from "./roomquestion.js";

/** How long the desk may still speak of the lesson before, ms. Later another window leads the room. */
const SETTLING = 1500;

export class LecturersPage {
  /** @param {HTMLElement} parent @param {import("../lesson/page.js").Host} host @param {string} base */
  constructor(parent, host, base) {
    this.base = base;
    /** @type {any} the desk's last message; null while it is not reached */
    this.desk = null;
    this.panel = new RoomPanel({ base });
    this.page = new LessonPage(parent, { ...host, Question: RoomQuestion, room: this.panel, advance: () => this.#advance(), again: () => this.#act("again") });
  }

  /** @param {any} data */
  update(data) {
    if (this.data?.number !== data.number) {
      this.since = performance.now();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#told(), SETTLING);
    }
    this.data = data;
    if (this.token !== data.room.desk) {
      this.token = data.room.desk;
      this.line?.close();
      this.line = new Line(socketAddress(`${this.base}/desk/${this.token}`), {
        message: (message) => this.#take(message),
        lost: () => this.#take(null),
      });
    }
    this.page.update({ ...data, poll: this.#vote() });
    this.#tell();
  }

  /** @param {any} message */
  #take(message) {
    if (message && message.type !== "desk") {
      console.warn(message.message);
      return;
    }
    this.desk = message;
    this.#told();
    this.page.warn(message ? message.trouble ?? "" : wordsFrom(this.data.strings, this.data.lang)("room_unreached"));
  }

  #told() {
    this.page.vote(this.#vote());
    this.#tell();
  }

  /** The room's vote on this lesson; none if the room is not reached, or sees another window. */
  #vote() {
    const vote = this.desk ? lecturersVote(this.data.number, this.desk) : null;
    return vote?.state === "waiting" && performance.now() - this.since >= SETTLING ? null : vote;
  }

  /** @returns {boolean} whether the room can hear it */
  #advance() {
    const vote = this.#vote();
    if (!vote || !this.line?.open) return false;
    if (NEXT_ACT[vote.state]) this.#act(NEXT_ACT[vote.state]);
    return true;
  }

  /** @param {string} act */
  #act(act) {
    this.line?.send({ type: "poll", lesson: this.data.number, act });
  }

  #tell() {
    const { data, desk } = this;
    const words = wordsFrom(data.strings, data.lang);
    const vote = this.#vote();
    const lesson = vote && vote.state !== "waiting";
    const sees = lesson ? words("room_sees_lesson", { number: data.number, title: data.title, phase: words(`room_sees_${vote.state}`) }) : "";
    this.panel.show(words, data.room, desk, sees);
  }

  dispose() {
    clearTimeout(this.timer);
    this.line?.close();
    this.page.dispose();
  }
}
