import assert from "node:assert/strict";
import { test } from "node:test";
import * as formula from "../../assets/web/formula.js";

const TEN_ON_CIRCLE = (2 * Math.PI) / 10;
const TEN_ON_SPHERE = (66.1468 * Math.PI) / 180;
const none = { m1: 1, m2: 0, m3: 0 };
const close = (a, b, tolerance = 5e-4) => assert.ok(Math.abs(a - b) < tolerance, `${a} is not ${b}`);

test("psi keeps falling past pi as published", () => {
  for (const [m1, value] of [[1, -1], [1.35, -1.546], [1.5, -2], [1.7, -2.588], [2, -3], [4, -7]]) {
    close(formula.psi(Math.PI * m1), value);
  }
});

test("the monotone target is strictly decreasing for every margin", () => {
  for (const m1 of [0.5, 1, 1.35, 2, 4]) {
    for (const m2 of [0, 0.5, 1.5]) {
      let before = Infinity;
      for (let i = 0; i <= 500; i += 1) {
        const target = formula.targetCosine((Math.PI * i) / 500, { m1, m2, m3: 0.2 });
        if (i) assert.ok(target < before + 1e-15, `rises at m1=${m1}, m2=${m2}, i=${i}`);
        before = target;
      }
    }
  }
});

test("the classic tail jumps by 0.117 at pi − m2", () => {
  const margin = { m1: 1, m2: 0.5, m3: 0 };
  const at = Math.PI - 0.5;
  const jump =
    formula.targetCosine(at + 1e-9, margin, "linear") - formula.targetCosine(at - 1e-9, margin, "linear");
  close(jump, -0.117);
});

test("the easy tail leaves the far half alone", () => {
  const margin = { m1: 1, m2: 0.5, m3: 0 };
  close(formula.targetCosine(2, margin, "easy"), Math.cos(2), 1e-12);
  close(formula.targetCosine(1, margin, "easy"), Math.cos(1.5), 1e-12);
});

test("ten classes on the circle keep a cosine margin up to 0.191", () => {
  close(formula.largestM3(0, TEN_ON_CIRCLE), 0.191);
  close(formula.largestM3(0, TEN_ON_SPHERE), 0.595, 1e-3);
  assert.ok(formula.feasible({ m1: 1, m2: 0, m3: 0.19 }, TEN_ON_CIRCLE));
  assert.ok(!formula.feasible({ m1: 1, m2: 0, m3: 0.35 }, TEN_ON_CIRCLE));
});

test("ten classes on the circle keep an angular margin up to 0.628", () => {
  close(formula.largestM2(0, TEN_ON_CIRCLE), TEN_ON_CIRCLE, 1e-9);
  assert.ok(formula.feasible({ m1: 1, m2: 0.628, m3: 0 }, TEN_ON_CIRCLE));
  assert.ok(!formula.feasible({ m1: 1, m2: 0.63, m3: 0 }, TEN_ON_CIRCLE));
});

test("admissible radii have their closed forms", () => {
  const arc = { m1: 1, m2: 0.5, m3: 0 };
  close(formula.admissibleRadius(arc, TEN_ON_CIRCLE), (TEN_ON_CIRCLE - 0.5) / 2, 1e-9);
  const sphere = { m1: 1.35, m2: 0, m3: 0 };
  close(formula.admissibleRadius(sphere, TEN_ON_CIRCLE), TEN_ON_CIRCLE / 2.35, 1e-9);
  close(formula.admissibleRadius(none, TEN_ON_CIRCLE), TEN_ON_CIRCLE / 2, 1e-9);
  assert.equal(formula.admissibleRadius({ m1: 1, m2: 0, m3: 0.35 }, TEN_ON_CIRCLE), 0);
});

test("the gauge is full exactly where the margin stops fitting", () => {
  for (const margin of [{ m1: 1, m2: 0.3, m3: 0.1 }, { m1: 2, m2: 0.7, m3: 0 }, { m1: 1, m2: 0, m3: 0.19 }]) {
    const fits = formula.feasible(margin, TEN_ON_CIRCLE);
    assert.equal(formula.shareUsed(margin, TEN_ON_CIRCLE) <= 1, fits);
  }
});

test("the boundary of ArcFace is θ1 + m2 = θ2 and of SphereFace m1·θ1 = θ2", () => {
  for (const [a, b] of formula.decisionBoundary({ m1: 1, m2: 0.5, m3: 0 })) close(a + 0.5, b, 1e-6);
  for (const [a, b] of formula.decisionBoundary({ m1: 1.35, m2: 0, m3: 0 })) close(1.35 * a, b, 1e-6);
});

test("training never pretends a point nearer than it is", () => {
  for (let i = 0; i <= 100; i += 1) {
    const angle = (Math.PI * i) / 100;
    assert.ok(formula.pretendedAngle(angle, { m1: 1.2, m2: 0.3, m3: 0.2 }) >= angle - 1e-7);
  }
});
