import { test } from "node:test";
import assert from "node:assert/strict";
import { FrameStore } from "../../assets/web/store.js";
import { Player } from "../../assets/web/player.js";

/** A frame whose only sample and only prototype point along an angle. */
function frameAt(step, angle) {
  const [x, y] = [Math.cos(angle), Math.sin(angle)];
  return {
    step, kept: true, extent: [1],
    points: Int16Array.of(Math.round(32767 * x), Math.round(32767 * y)),
    prototypes: Float32Array.of(x, y),
  };
}

function playerOf(count) {
  const store = new FrameStore();
  for (let i = 0; i < count; i += 1) store.add(frameAt(i, 0.1 * i));
  const shown = [];
  const shape = { points: 1, classes: 1, dim: 2, member: 0 };
  return { store, shown, player: new Player(store, shape, (frame) => shown.push(frame.step)) };
}

test("a replay goes from the first kept frame to the last, then follows the run", () => {
  const { player, shown } = playerOf(5);
  player.replay(1000, 1);
  for (let now = 1000; player.mode === "replay"; now += 50) player.advance(now);
  assert.equal(shown[0], 0);
  assert.equal(shown.at(-1), 4);
  assert.deepEqual([...shown].sort((a, b) => a - b), shown);
  assert.ok(Math.abs(player.picture.points[0] - Math.cos(0.4)) < 1e-3);
});

test("a screen clock behind the one that started the replay does not go before its start", () => {
  const { player } = playerOf(5);
  player.replay(1000, 1);
  player.advance(984); // requestAnimationFrame hands out the time of the frame's beginning
  assert.equal(player.frame.step, 0);
});

test("a live snapshot is reached when its blend ends", () => {
  const { player, shown } = playerOf(3);
  player.follow(player.store.kept[1], 0);
  player.advance(0);
  player.follow(player.store.kept[2], 60);
  player.advance(1000);
  assert.deepEqual(shown, [1, 2]);
});

test("a recording that is emptied while it is replayed waits for what comes", () => {
  const { player, store } = playerOf(5);
  player.replay(0, 1);
  for (let now = 0; now < 600; now += 50) player.advance(now);
  store.clear();
  assert.equal(player.advance(700), false);
  store.add(frameAt(0, 0));
  store.add(frameAt(1, 0.1));
  player.advance(720);
  assert.ok(player.frame.step <= 1);
});

test("between two members the picture lies between them, on the circle; on a member it is the member", () => {
  const store = new FrameStore();
  const at = (angle) => [Math.cos(angle), Math.sin(angle)];
  const flat = [...at(0.2), ...at(1.0)];
  store.add({
    step: 0, kept: true, extent: [1, 1],
    points: Int16Array.from(flat, (v) => Math.round(32767 * v)),
    prototypes: Float32Array.from(flat),
  });
  const player = new Player(store, { points: 1, classes: 1, dim: 2, member: 0 }, () => {});
  player.follow(store.kept[0], 0);
  player.advance(0);
  for (const [member, angle] of [[0.5, 0.6], [1, 1.0], [0, 0.2]]) {
    player.turnTo(member, 10);
    player.advance(20);
    const [x, y] = player.picture.points;
    assert.ok(Math.abs(Math.atan2(y, x) - angle) < 1e-3, `${member}: ${Math.atan2(y, x)}`);
    assert.ok(Math.abs(Math.hypot(x, y) - 1) < 1e-3);
  }
});

test("points inside the ball of three prototypes go straight, and are not moved out onto it", () => {
  const store = new FrameStore();
  const frame = (step, points) => ({ step, kept: true, extent: [1], points: Int16Array.from(points, (v) => Math.round(32767 * v)), prototypes: Float32Array.of(1, 0, 0) });
  store.add(frame(0, [0.2, 0, 0]));
  store.add(frame(1, [0, 0.4, 0]));
  const player = new Player(store, { points: 1, classes: 1, dim: 3, member: 0 }, () => {});
  player.inside = true;
  player.follow(store.kept[0], 0);
  player.advance(0);
  assert.ok(Math.abs(player.picture.points[0] - 0.2) < 1e-3);
  player.follow(store.kept[1], 60);
  let between = 0;
  for (let now = 60; now < 1000; now += 5) {
    player.advance(now);
    const [x, y, z] = player.picture.points;
    assert.ok(Math.abs(x / 0.2 + y / 0.4 - 1) < 1e-3, "on the straight line");
    assert.equal(z, 0);
    if (x > 0.01 && y > 0.01) between += 1;
  }
  assert.ok(between > 0);
  assert.ok(Math.abs(player.picture.points[1] - 0.4) < 1e-3);
});

test("a picture that is held stays where it is while the run goes on, until it follows again", () => {
  const { player, store } = playerOf(3);
  player.follow(store.kept[2], 0);
  player.advance(0);
  player.hold();
  const newest = frameAt(3, 0.9);
  store.add(newest);
  player.follow(newest, 60);
  player.advance(1000);
  assert.equal(player.frame.step, 2);
  player.goLive(1100);
  player.advance(3000);
  assert.equal(player.frame.step, 3);
});

test("where many watch and the screen is late, a snapshot is one picture; now and then it is asked again", () => {
  const pictures = (beat, calm) => {
    const { player } = playerOf(60);
    Object.assign(player, { beat, calm, pace: 62 });
    return player.store.kept.map((frame, i) => {
      player.follow(frame, 150 * i);
      player.advance(150 * i);
      return player.reached;
    });
  };
  assert.deepEqual(new Set(pictures(110, true).slice(1, 38)), new Set([true]));
  assert.equal(pictures(110, true).slice(38).filter((reached) => !reached).length, 1);
  assert.ok(pictures(62, true).slice(1, 3).every((reached) => !reached), "a quick screen blends");
});
