import assert from "node:assert/strict";
import { test } from "node:test";
import { percents } from "../../assets/web/classroom/bars.js";
import { Lessons } from "../../assets/web/classroom/lessons.js";
import { Line } from "../../assets/web/classroom/line.js";
import { lecturersVote, studentsVote } from "../../assets/web/classroom/phases.js";
import { Seat } from "../../assets/web/classroom/seat.js";
import { classic, queryOf, wishOf } from "../../assets/web/classroom/tryquery.js";
import { votesOn, Where } from "../../assets/web/classroom/where.js";
import { move } from "../../assets/web/connecting.js";
import { Connection } from "../../assets/web/connection.js";
import { filledQuery } from "../../assets/web/lesson/linking.js";

/** Sockets that a test opens and closes by hand. */
function world({ joined = 204 } = {}) {
  const sockets = [];
  class Socket {
    constructor(url) {
      this.url = url;
      this.readyState = 0;
      this.sent = [];
      sockets.push(this);
    }
    open() {
      this.readyState = 1;
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    tell(message) {
      this.onmessage({ data: JSON.stringify(message) });
    }
    drop(code = 1006) {
      this.readyState = 3;
      this.onclose({ code });
    }
    close() {
      this.readyState = 3;
    }
  }
  const answer = { status: joined };
  return { Socket, sockets, answer, url: "ws://room/seat", random: () => 0.5, fetch: async () => answer };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const lessonScene = (number) => ({ kind: "lesson", number, lang: "en", run: null });
const pollOf = (more = {}) => ({ lesson: 7, phase: "open", choice: null, total: 0, counts: null, ...more });
const stateOf = (poll, scene = lessonScene(7)) => ({ type: "state", scene, poll });

test("a line comes back after growing waits, and at once counts again after a message", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const there = world();
  let lost = 0;
  const line = new Line(there.url, { message() {}, lost: () => (lost += 1) }, there);
  const waits = [];
  for (let round = 1; round <= 7; round += 1) {
    there.sockets.at(-1).drop();
    assert.equal(lost, round);
    let waited = 0;
    for (; there.sockets.length === round; waited += 100) {
      t.mock.timers.tick(100);
      assert.ok(waited < 20_000);
    }
    waits.push(waited);
  }
  assert.deepEqual(waits, [400, 800, 1600, 3200, 6400, 8000, 8000]);
  there.sockets.at(-1).tell({});
  there.sockets.at(-1).drop();
  t.mock.timers.tick(400);
  assert.equal(there.sockets.length, 9);
  line.close();
  there.sockets.at(-1).drop();
  t.mock.timers.tick(60_000);
  assert.equal(there.sockets.length, 9);
});

test("who is asked for quiet stays away for ten seconds; when the network is back nobody waits", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const there = world();
  const line = new Line(there.url, { message() {}, lost() {} }, there);
  there.sockets[0].drop(4503);
  t.mock.timers.tick(9_900);
  assert.equal(there.sockets.length, 1);
  t.mock.timers.tick(100);
  assert.equal(there.sockets.length, 2);
  line.hurry(); // a socket is open: no second one
  assert.equal(there.sockets.length, 2);
  there.sockets[1].drop(4429);
  line.hurry();
  assert.equal(there.sockets.length, 3);
  t.mock.timers.tick(60_000);
  assert.equal(there.sockets.length, 3);
});

test("a vote is sent once, and again only on another line that has not heard of it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const there = world();
  const seat = new Seat("/facevis", { changed() {}, full() {}, lost() {}, out() {} }, there);
  await settle();
  const [first] = there.sockets;
  first.open();
  first.tell(stateOf(pollOf({ phase: "closed" })));
  seat.cast(7, 1);
  assert.deepEqual(first.sent, []); // not open yet
  first.tell(stateOf(pollOf()));
  seat.cast(6, 1);
  assert.deepEqual(first.sent, []); // of another lesson
  seat.cast(7, 1);
  first.tell(stateOf(pollOf({ total: 5 })));
  assert.deepEqual(first.sent, [{ type: "vote", lesson: 7, choice: 1 }]);
  first.drop();
  t.mock.timers.tick(1000);
  await settle();
  const second = there.sockets[1];
  second.open();
  second.tell(stateOf(pollOf({ total: 5 })));
  second.tell(stateOf(pollOf({ total: 6 })));
  assert.deepEqual(second.sent, [{ type: "vote", lesson: 7, choice: 1 }]);
  second.tell(stateOf(pollOf({ total: 7, choice: 1 })));
  assert.equal(seat.vote, null);
  seat.cast(7, 2); // one vote
  assert.equal(second.sent.length, 1);
  seat.close();
});

test("a vote that the lock overtook says so; one on a lesson that was left is forgotten", async () => {
  const there = world();
  const seat = new Seat("/facevis", { changed() {}, full() {}, lost() {}, out() {} }, there);
  await settle();
  const [socket] = there.sockets;
  socket.open();
  socket.tell(stateOf(pollOf()));
  seat.cast(7, 2);
  socket.tell({ type: "voted", lesson: 7, choice: 2, result: "locked" });
  assert.equal(studentsVote(pollOf({ phase: "locked" }), seat.vote, true).said, "room_too_late");
  socket.tell(stateOf(pollOf({ phase: "locked" })));
  assert.equal(seat.vote.result, "locked");
  socket.tell(stateOf(pollOf({ lesson: 8, phase: "closed" }), lessonScene(8)));
  assert.equal(seat.vote, null);
  seat.close();
});

test("without a seat the door is shown and no socket is opened; a room in trouble is tried again", async () => {
  const there = world({ joined: 200 });
  let out = 0;
  const told = { changed() {}, full() {}, lost() {}, out: () => (out += 1) };
  new Seat("/facevis", told, there);
  await settle();
  assert.deepEqual([out, there.sockets.length], [1, 0]);
  const silent = { ...world(), fetch: async () => Promise.reject(new Error("no network")) };
  const seat = new Seat("/facevis", told, silent);
  await settle();
  assert.deepEqual([out, silent.sockets.length], [1, 1]);
  seat.close();
});

test("a full room tells the place in the line", async () => {
  const there = world();
  const places = [];
  const seat = new Seat("/facevis", { changed() {}, full: (...told) => places.push(told), lost() {}, out() {} }, there);
  await settle();
  there.sockets[0].tell({ type: "full", position: 3, limit: 120 });
  there.sockets[0].tell({ type: "full", position: null, limit: 120 });
  assert.deepEqual(places, [[3, 120], [null, 120]]);
  seat.close();
});

test("a student's question: closed, open, on its way, counted, locked, revealed", () => {
  const of = (poll, vote = null, withheld = true) => {
    const { phase, said, choice, counts } = studentsVote(pollOf(poll), vote, withheld);
    return [phase, said, choice, counts];
  };
  assert.deepEqual(of({ phase: "closed" }), ["ask", "room_not_open", null, null]);
  assert.deepEqual(of({}), ["ask", "room_is_open", null, null]);
  assert.deepEqual(of({}, { choice: 2 }), ["locked", "room_sending", 2, null]);
  assert.deepEqual(of({}, { choice: 2, result: "invalid" }), ["ask", "room_is_open", null, null]);
  assert.deepEqual(of({ choice: 1 }, { choice: 2 }), ["locked", "room_counted", 1, null]);
  assert.deepEqual(of({ phase: "locked", choice: 1 }), ["locked", "room_is_locked", 1, null]);
  assert.deepEqual(of({ phase: "locked" }), ["locked", "room_is_locked_without", null, null]);
  const revealed = { phase: "revealed", choice: 1, counts: [1, 2, 3] };
  assert.deepEqual(of(revealed), ["locked", "room_answer_coming", 1, null]);
  assert.deepEqual(of(revealed, null, false), ["open", undefined, 1, [1, 2, 3]]);
});

test("the lecturer's question follows the desk, and no other lesson's vote", () => {
  const desk = (phase, lesson = 7) => ({ joined: 37, poll: { lesson, phase, counts: [1, 2], total: 3, earlier: null } });
  assert.deepEqual(["closed", "open", "locked", "revealed"].map((phase) => lecturersVote(7, desk(phase)).phase), ["ask", "ask", "locked", "open"]);
  assert.equal(lecturersVote(8, desk("revealed")).state, "waiting");
  assert.equal(lecturersVote(8, { joined: 1, poll: null }).state, "waiting");
  assert.equal(lecturersVote(7, desk("open")).joined, 37);
});

test("bars are whole percent; nobody's vote is none", () => {
  assert.deepEqual(percents([1, 1, 2]), [25, 25, 50]);
  assert.deepEqual(percents([0, 0]), [0, 0]);
  assert.deepEqual(percents([]), []);
});

test("who looks around begins where the lecturer is, and comes back with one press", () => {
  const where = new Where();
  assert.ok(where.follows);
  assert.deepEqual(where.shown(lessonScene(7)), lessonScene(7));
  where.leave(lessonScene(7));
  assert.deepEqual(where.shown(lessonScene(9)), { kind: "lesson", number: 7, run: null });
  where.leave(lessonScene(9)); // pressed twice: nothing moves
  assert.equal(where.shown(lessonScene(9)).number, 7);
  where.go({ kind: "try" });
  assert.equal(where.shown(lessonScene(9)).kind, "try");
  where.follow();
  assert.equal(where.shown(lessonScene(9)).number, 9);
  where.leave({ kind: "run", token: "t", mode: "single", projection: null });
  assert.deepEqual(where.own, { kind: "lesson", number: 1 });
});

test("the room votes on the lesson that the lecturer is on, and on no other", () => {
  const poll = pollOf();
  assert.ok(votesOn(lessonScene(7), lessonScene(7), poll));
  assert.ok(!votesOn(lessonScene(6), lessonScene(7), poll));
  assert.ok(!votesOn(lessonScene(7), { kind: "none" }, poll));
  assert.ok(!votesOn({ kind: "try" }, lessonScene(7), poll));
  assert.ok(!votesOn(lessonScene(7), lessonScene(7), null));
});

test("a lesson is fetched once, and again for as long as its answer is withheld", async () => {
  const asked = [];
  let withheld = true;
  const lessons = new Lessons("/facevis", async (url) => {
    asked.push(url);
    return { ok: true, json: async () => (withheld ? { number: 7, withheld } : { number: 7 }) };
  });
  assert.ok((await lessons.get(7, "en")).withheld);
  withheld = false;
  assert.ok(!(await lessons.get(7, "en")).withheld);
  await lessons.get(7, "en");
  assert.deepEqual(asked, ["/facevis/lesson/7.json?lang=en", "/facevis/lesson/7.json?lang=en"]);
  await lessons.get(7, "ru");
  await lessons.get(7, "en", "another-run");
  assert.equal(asked.length, 4);
  await assert.rejects(new Lessons("", async () => ({ ok: false, status: 503 })).get(7, "en"), /503/);
});

test("a lesson's link fills the form; what the form has no field for goes along", () => {
  const link = filledQuery({ loss: "triplet", mining: "{mining}", d: "{d}", steps: "800", lang: "{lang}" }, { mining: "semi-hard", d: 0.2, lang: "ru" });
  const wish = wishOf(link);
  assert.deepEqual(wish.more, { mining: "semi-hard", d: "0.2", steps: "800" });
  assert.deepEqual(queryOf(wish), { mining: "semi-hard", d: "0.2", steps: "800", loss: "triplet", dim: "2", seed: "0" });
  assert.deepEqual(queryOf(wishOf({ loss: "arcface", m2: "0.3", s: "24" })), { loss: "arcface", dim: "2", m2: "0.3", s: "24", seed: "0" });
  assert.deepEqual(queryOf(wishOf(filledQuery({ preset: "{dim:2=arcface|3=arcface_sphere}" }, { dim: "3" }))), { loss: "arcface", dim: "3", m2: "0.5", s: "8", seed: "0" });
  assert.equal(wishOf({ loss: "constructor", m2: "<b>" }).loss, "arcface");
  assert.deepEqual(classic("cosface", "3"), { m1: 1, m2: 0, m3: 0.35, s: 8, seed: 0 });
});

test("a run that forks is found at its new address, with its pictures", () => {
  const connection = { url: "ws://here/facevis/stream/old?project=pca" };
  const run = { sprite: { url: "/facevis/runs/old/thumbnails.png" } };
  move(connection, run, "old", "new");
  assert.equal(connection.url, "ws://here/facevis/stream/new?project=pca");
  assert.equal(run.sprite.url, "/facevis/runs/new/thumbnails.png");
});

test("a phone that slept long opens its lines anew, without a word of loss; on the trainer's machine nobody sleeps", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const there = world();
  const screen = { hidden: false, listeners: [] };
  globalThis.document = {
    get hidden() { return screen.hidden; },
    addEventListener: (_, listener) => screen.listeners.push(listener),
    removeEventListener: (_, listener) => (screen.listeners = screen.listeners.filter((one) => one !== listener)),
  };
  const turn = (hidden) => {
    screen.hidden = hidden;
    screen.listeners.forEach((listener) => listener());
  };
  let lost = 0;
  const ends = { message() {}, frame() {}, lost: () => (lost += 1) };
  for (const [open, sleeps] of [
    [() => new Line(there.url, ends, there), true],
    [() => new Connection(there.url, ends, true, there), true],
    [() => new Connection(there.url, ends, false, there), false],
  ]) {
    const before = there.sockets.length;
    const line = open();
    turn(true);
    t.mock.timers.tick(5_000);
    turn(false);
    assert.equal(there.sockets.length, before + 1);
    turn(true);
    t.mock.timers.tick(60_000);
    turn(false);
    assert.equal(there.sockets.length, before + (sleeps ? 2 : 1));
    assert.deepEqual([there.sockets[before].readyState, lost], [sleeps ? 3 : 0, 0]);
    line.close();
    assert.deepEqual(screen.listeners, []);
  }
  delete globalThis.document;
});

test("a frame is acknowledged; a run that is gone is not asked for again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const there = world();
  const heard = [];
  const run = new Connection(there.url, { message: ({ type }) => heard.push(type), frame: ({ byteLength }) => heard.push(byteLength), lost: () => heard.push("lost") }, false, there);
  const [socket] = there.sockets;
  socket.open();
  socket.tell({ type: "run" });
  socket.onmessage({ data: new ArrayBuffer(3) });
  assert.deepEqual([heard, socket.sent], [["run", 3], [{ type: "ack" }]]);
  socket.drop();
  t.mock.timers.tick(400);
  socket.tell({ type: "late" }); // of the line before
  there.sockets[1].drop(4404);
  t.mock.timers.tick(60_000);
  assert.deepEqual([heard.at(-1), heard.length, there.sockets.length], ["lost", 3, 2]);
  run.close();
});
