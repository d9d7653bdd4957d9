import assert from "node:assert/strict";
import { test } from "node:test";
import { arc, cap, greatCircles, tangents } from "../../assets/web/shapes.js";

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("every point of a cap lies at its radius from the centre", () => {
  const centre = [2 / 3, -1 / 3, 2 / 3];
  for (const point of cap(centre, 0.4)) {
    close(dot(point, point), 1);
    close(Math.acos(dot(point, centre)), 0.4);
  }
});

test("a cap on the circle ends at its radius on both sides", () => {
  const points = cap([0, 1], 0.3, 1.06);
  close(Math.acos(points[0][1] / 1.06), 0.3);
  close(points[0][0], -points[points.length - 1][0]);
});

test("an arc starts at the prototype and passes the sample", () => {
  const sample = [Math.sin(0.5), 0, Math.cos(0.5)];
  const points = arc([0, 0, 1], sample, 0, 0.5);
  close(points[0][2], 1);
  close(dot(points[points.length - 1], sample), 1);
});

test("an arc through its own start is still finite", () => {
  assert.ok(arc([1, 0], [1, 0], 0, 0.5).flat().every(Number.isFinite));
});

test("tangents stand upright on the centre and on each other", () => {
  for (const centre of [[0, 0, 1], [1, 0, 0], [0.6, 0.8, 0]]) {
    const [u, v] = tangents(centre);
    close(dot(u, centre), 0);
    close(dot(v, centre), 0);
    close(dot(u, v), 0);
    close(dot(v, v), 1);
  }
});

test("great circles are three, with gaps between them", () => {
  assert.equal(greatCircles(1).x.filter((value) => value === null).length, 2);
});
