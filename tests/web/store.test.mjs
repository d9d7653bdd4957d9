import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameStore, angleBetween, interpolate, longestRow, medianTargetAngle, ontoSphere, otherAngles, targetAngles } from "../../assets/web/store.js";

const frame = (step, kept = true) => ({ step, kept });

test("kept frames stand in the order of their steps, however they arrive", () => {
  const store = new FrameStore();
  for (const step of [50, 0, 10, 5, 10]) store.add(frame(step));
  assert.deepEqual(store.kept.map((f) => f.step), [0, 5, 10, 50]);
  assert.equal(store.newest.step, 50);
});

test("of passing frames only the newest stays", () => {
  const store = new FrameStore();
  store.add(frame(3));
  assert.equal(store.add(frame(4, false)), true);
  assert.equal(store.add(frame(2, false)), false);
  assert.equal(store.kept.length, 1);
  assert.equal(store.newest.step, 4);
});

test("a step between two kept frames finds the earlier one", () => {
  const store = new FrameStore();
  for (const step of [0, 10, 20]) store.add(frame(step));
  assert.deepEqual([-1, 0, 9, 10, 99].map((step) => store.indexAt(step)), [-1, 0, 0, 1, 2]);
});

test("blending on the sphere stays on the sphere", () => {
  const from = Float32Array.of(1, 0, 0, 1);
  const to = Float32Array.of(0, 1, -1, 0);
  const into = interpolate(from, to, 0.3, 2, true, new Float32Array(4));
  for (const i of [0, 2]) assert.ok(Math.abs(Math.hypot(into[i], into[i + 1]) - 1) < 1e-6);
  const flat = interpolate(from, to, 0.25, 2, false, new Float32Array(4));
  assert.deepEqual([...flat.subarray(0, 2)], [0.75, 0.25]);
});

test("opposite points blend without NaN", () => {
  const into = interpolate(Float32Array.of(1, 0), Float32Array.of(-1, 0), 0.5, 2, true, new Float32Array(2));
  assert.ok([...into].every(Number.isFinite));
});

test("rows are put onto the sphere and a zero row stays", () => {
  assert.deepEqual([...ontoSphere(Float32Array.of(3, 4, 0, 0), 2)], [Math.fround(0.6), Math.fround(0.8), 0, 0]);
  assert.equal(longestRow(Float32Array.of(3, 4, 1, 0), 2), 5);
});

test("angles do not depend on length", () => {
  const angle = angleBetween(Float32Array.of(5, 0), 0, Float32Array.of(0, 0.1), 0, 2);
  assert.ok(Math.abs(angle - Math.PI / 2) < 1e-6);
  const points = Float32Array.of(1, 0, 0, 1, -1, 0);
  const median = medianTargetAngle(points, Float32Array.of(1, 0), [0, 0, 0], 2);
  assert.ok(Math.abs(median - Math.PI / 2) < 1e-6);
});

test("samples without a prototype have no angle to their own, and every other angle is there", () => {
  const points = Float32Array.from([1, 0, 0, 1, -1, 0]);
  const prototypes = Float32Array.from([1, 0, 0, 1]);
  const own = targetAngles(points, prototypes, [0, 0, 2], 2);
  assert.deepEqual([...own].map((a) => a.toFixed(4)), ["0.0000", (Math.PI / 2).toFixed(4)]);
  const others = otherAngles(points, prototypes, [0, 0, 2], 2);
  assert.deepEqual([...others].map((a) => a.toFixed(4)), [(Math.PI / 2).toFixed(4), "0.0000"]);
});
