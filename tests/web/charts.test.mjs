import assert from "node:assert/strict";
import { test } from "node:test";
import { angleSpec, barsSpec, boundarySpec, histogram, histogramSpec, lossSpec, psiSpec, shareSpec, sweepSpec } from "../../assets/web/charts.js";

const words = (key) => key;
const frames = [0, 10].map((step) => ({
  step,
  losses: [step ? 0.5 : null],
  statistics: [{ accuracy: step / 10, held_out_accuracy: null, intra: 40 - step, inter: 20 + step }],
}));

test("the curve stays inside its chart whatever the margin", () => {
  for (const m1 of [0.5, 1, 4]) {
    const spec = psiSpec({ m1, m2: 1.5, m3: 1 }, "monotone", 0.3, words);
    const lowest = Math.min(...spec.series[2].points.map(([, y]) => y));
    assert.ok(lowest >= spec.y[0], `${lowest} lies below ${spec.y[0]}`);
  }
});

test("no median, no dot", () => {
  assert.equal(psiSpec({ m1: 1, m2: 0, m3: 0 }, "monotone", NaN, words).dot, undefined);
});

test("the boundary of class 2 mirrors that of class 1", () => {
  const { series } = boundarySpec({ m1: 1, m2: 0.5, m3: 0.1 }, "monotone", words);
  const mirrored = series[3].points.map(([a, b]) => `${b},${a}`).sort();
  assert.deepEqual(series[2].points.map(([a, b]) => `${a},${b}`).sort(), mirrored);
});

test("a loss that is no number yet breaks the line and not the chart", () => {
  const spec = lossSpec(frames, 0, 100);
  assert.ok(Number.isNaN(spec.series[0].points[0][1]));
  assert.equal(spec.y[1], 0.5);
});

test("held-out accuracy is shown only where there is one", () => {
  const labels = { train: "training", held: "held out" };
  assert.equal(shareSpec(frames, 0, 100, "accuracy", labels).series.length, 1);
  const held = frames.map((f) => ({ ...f, statistics: [{ ...f.statistics[0], held_out_accuracy: 0.4 }] }));
  assert.equal(shareSpec(held, 0, 100, "accuracy", labels).series.length, 2);
});

test("angles leave room for the best possible one", () => {
  assert.ok(angleSpec(frames, 0, 100, Math.PI / 2, words).y[1] >= 90);
});

test("a histogram counts every angle once, the ends too", () => {
  const bars = histogram(Float32Array.from([0, Math.PI / 2, Math.PI, Math.PI]));
  assert.equal(bars.length, 60);
  assert.equal(bars.reduce((a, b) => a + b), 4);
  assert.deepEqual([bars[0], bars[30], bars[59]], [1, 1, 2]);
});

test("bars counted elsewhere are drawn as those counted here", () => {
  const own = Float32Array.of(0.1, 0.1, 1.2);
  const others = Float32Array.of(1.5, 1.6, 1.5);
  const here = histogramSpec(own, others, words);
  assert.deepEqual(barsSpec([...histogram(own)], [...histogram(others)], words), here);
  assert.ok(barsSpec([], [], words).series.every(({ points }) => points.every(([, y]) => y === 0)));
});

const swept = (intra) => ({ statistics: intra.map((value) => ({ intra: value, w_inter: 50, packing_share: 0.9 })) });

test("what does not fit is shaded from its bound on, and no further than the chart", () => {
  const sweep = { name: "m3", values: [0, 0.3, 0.6], bound: 0.4 };
  const [shade, line] = sweepSpec(swept([9, 4, null]), sweep, ["intra"], { packing_angle: 0.9, packing_exact: true }, words).series;
  assert.deepEqual(shade.points.map(([x]) => x), [0.4, 0.4, 0.6, 0.6]);
  assert.deepEqual(line.points.slice(0, 2), [[0, 9], [0.3, 4]]);
  assert.ok(Number.isNaN(line.points[2][1]));
  const scale = { name: "scale", values: [2, 30, 60], bound: 4 };
  const [small] = sweepSpec(swept([9, 4, 3]), scale, ["intra"], { packing_angle: 0.9, packing_exact: true }, words).series;
  assert.deepEqual(small.points.map(([x]) => x), [2, 2, 4, 4]);
  const free = { name: "m1", values: [1, 2, 3], bound: null };
  assert.equal(sweepSpec(swept([9, 4, 3]), free, ["intra"], { packing_angle: 0.9, packing_exact: true }, words).series.length, 1);
});
