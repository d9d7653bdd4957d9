import assert from "node:assert/strict";
import { test } from "node:test";
import { cameraProjection, invert, multiply, planeProjection } from "../../assets/web/project.js";

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
// Looking down −z from z = 5, 45° lens, near 0.1, far 100.
const f = 1 / Math.tan(Math.PI / 8);
const LENS = [f, 0, 0, 0, 0, f, 0, 0, 0, 0, -100.1 / 99.9, -1, 0, 0, -20 / 99.9, 0];
const VIEW = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, -5, 1];
const out = new Float64Array(3);

test("the plane's corners are the box's corners", () => {
  const plane = planeProjection([-1, 1], [-2, 2], { left: 10, top: 20, width: 100, height: 200 });
  plane.put(-1, 2, 0, out);
  assert.deepEqual([out[0], out[1]], [10, 20]);
  plane.put(1, -2, 0, out);
  assert.deepEqual([out[0], out[1]], [110, 220]);
});

test("a matrix times its inverse is the identity", () => {
  const product = multiply(LENS, invert(LENS));
  product.forEach((value, i) => assert.ok(Math.abs(value - IDENTITY[i]) < 1e-9));
  assert.equal(invert(new Float64Array(16)), null);
});

test("with a lens, nearer is hidden by nothing and the far side by the sphere", () => {
  const camera = { projection: LENS, view: VIEW, model: IDENTITY };
  const view = cameraProjection(camera, [1, 1, 1], 400, 400, true);
  view.put(0, 0, 1, out);
  assert.deepEqual([out[0], out[1]], [200, 200]);
  assert.equal(view.hidden(0, 0, 1), false);
  assert.equal(view.hidden(0, 0, -1), true);
  assert.equal(view.hidden(1, 0, 0), true, "the eye is near: it sees less than half");
  assert.equal(view.hidden(1.3, 0, 0), false);
  view.put(0.5, 0, 0, out);
  assert.ok(Math.abs(out[0] - (200 + (0.5 * f * 200) / 5)) < 1e-9);
});

test("without a lens exactly the rim is where hiding begins", () => {
  const flat = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -0.1, 0, 0, 0, 0, 1];
  const view = cameraProjection({ projection: flat, view: IDENTITY, model: IDENTITY }, [1, 1, 1], 400, 400, true);
  assert.equal(view.hidden(0, 0, 1), false);
  assert.equal(view.hidden(0, 0, -1), true);
  assert.equal(view.hidden(0.99, 0, -0.14), false);
  assert.ok(Math.abs(view.scale - 200) < 1e-9);
});

test("in open space nothing is hidden", () => {
  const view = cameraProjection({ projection: LENS, view: VIEW, model: IDENTITY }, [1, 1, 1], 400, 400, false);
  assert.equal(view.hidden(0, 0, -1), false);
});
