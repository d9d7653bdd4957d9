/** The lecturer's lesson in a classroom: the lesson page, the desk that it speaks to, and the way into the room. */
import { LessonPage } from "../lesson/page.js";
import { wordsFrom } from "../words.js";
import { Line, socketAddress } from "./line.js";
import { NEXT_ACT, lecturersVote } from "./phases.js";
import { RoomPanel } from "./roompanel.js";
import { RoomQuestion } from "./roomquestion.js";

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
    this.page.vote(this.#vote());
    this.#tell();
    this.page.warn(message ? message.trouble ?? "" : wordsFrom(this.data.strings, this.data.lang)("room_unreached"));
  }

  #vote() {
    return this.desk ? lecturersVote(this.data.number, this.desk) : null;
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
    const phase = vote && vote.state !== "waiting" ? words(`room_sees_${vote.state}`) : "…";
    this.panel.show(words, data.room, desk, words("room_sees_lesson", { number: data.number, title: data.title, phase }));
  }

  dispose() {
    this.line?.close();
    this.page.dispose();
  }
}
