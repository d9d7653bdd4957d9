import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { bestProbability, circleProbability, scaleFor } from "../../assets/web/lesson/confidence.js";
import { countBelow, pairAngles, rankOne, rates, rocCurve, tarAtFar } from "../../assets/web/lesson/verification.js";
import { crowd, push, seeded, smallestAngle } from "../../assets/web/lesson/repulsion.js";
import { decodeFrame, encodeFrame, readPoints } from "../../assets/web/protocol.js";
import { openTape } from "../../assets/web/tape.js";

const near = (a, b, by = 1e-9) => assert.ok(Math.abs(a - b) < by, `${a} is not ${b}`);

test("ten classes at s = 1 give at most 45 %", () => {
  near(bestProbability(1, 10), Math.E / (Math.E + 9 / Math.E));
  assert.equal(Math.round(100 * bestProbability(1, 10)), 45);
  near(scaleFor(0.9, 10), 0.9 * Math.log(81), 1e-9);
  for (const s of [1, 4, 16, 64]) assert.ok(circleProbability(s, 10) <= bestProbability(s, 10) + 1e-12);
  near(circleProbability(3, 2), bestProbability(3, 2));
});

test("pairs of strangers: every pair once, rates by counting", () => {
  const random = seeded(3);
  const labels = Array.from({ length: 24 }, (_, i) => i % 4);
  const points = Float32Array.from({ length: 72 }, () => random() - 0.5);
  const samples = [...labels.keys()];
  const pairs = pairAngles(points, labels, 3, samples);
  assert.equal(pairs.genuine.length + pairs.impostor.length, (24 * 23) / 2);
  assert.equal(pairs.genuine.length, 4 * 15);
  for (const threshold of [20, 60, 100]) {
    const { far, tar } = rates(pairs, threshold);
    near(far, pairs.impostor.filter((a) => a <= threshold).length / pairs.impostor.length);
    near(tar, pairs.genuine.filter((a) => a <= threshold).length / pairs.genuine.length);
  }
  for (const far of [0.3, 0.1, 0.01]) {
    const { threshold, tar, reliable } = tarAtFar(pairs, far);
    assert.ok(countBelow(pairs.impostor, threshold) <= far * pairs.impostor.length + 1e-9);
    near(tar, countBelow(pairs.genuine, threshold) / pairs.genuine.length);
    assert.equal(reliable, far * pairs.impostor.length >= 10);
  }
  const curve = rocCurve(pairs, -3);
  for (let k = 1; k < curve.length; k += 1) assert.ok(curve[k][1] >= curve[k - 1][1]);
  assert.equal(curve.at(-1)[1], 1);
});

test("identical embeddings of two people are accepted together", () => {
  const points = Float32Array.from([1, 0, 1, 0, 1, 0]);
  const { tar } = tarAtFar(pairAngles(points, [0, 0, 1], 2, [0, 1, 2]), 0.1);
  assert.equal(tar, 0);
  assert.equal(rankOne(Float32Array.from([1, 0, 0.9, 0.1, 0, 1]), [0, 0, 1], 2, [0, 1, 2]), 2 / 3);
});

test("points that push each other reach the best angle known", () => {
  const table = JSON.parse(readFileSync(new URL("../../assets/lessons/angles.json", import.meta.url), "utf8"));
  for (const [count, dim, within] of [[4, 3, 0.5], [6, 3, 0.5], [10, 3, 1.5], [12, 3, 1.5], [10, 2, 0.5], [24, 3, 3]]) {
    const points = crowd(count, dim, seeded(1));
    for (let round = 1; round <= 420; round += 1) push(points, dim, 4 * 400 ** (round / 420), 0.12 * (1 - round / 420) ** 2 + 2e-4);
    const reached = (smallestAngle(points, dim) * 180) / Math.PI;
    const best = table[dim][count - 2];
    assert.ok(reached <= best + 0.01 && reached > best - within, `K = ${count}, D = ${dim}: ${reached} of ${best}`);
  }
});

test("a frame made here reads like one of the stream", () => {
  const prototypes = [1, 0, 0, 1];
  const points = [0.5, -0.25, 1, -1];
  const frame = decodeFrame(encodeFrame({ step: 7, prototypes, points }), { members: 1, classes: 2, points: 2, dim: 2 });
  assert.equal(frame.step, 7);
  assert.deepEqual([...frame.prototypes], prototypes);
  [...readPoints(frame, 0, new Float32Array(4))].forEach((value, i) => near(value, points[i], 1e-4));
});

test("a tape is opened, and a damaged one is refused", async () => {
  const bytes = readFileSync(new URL("../../assets/recordings/tapes/contrastive.tape", import.meta.url));
  const { run, frames } = await openTape(bytes);
  assert.equal(run.class_names.length, 10);
  const shape = { members: 1, classes: 10, points: run.points, dim: 2 };
  const steps = frames.map((frame) => decodeFrame(frame, shape).step);
  assert.deepEqual([steps[0], steps.at(-1)], [0, 800]);
  assert.deepEqual([...steps].sort((a, b) => a - b), steps);
  await assert.rejects(openTape(bytes.subarray(0, 5000)));
  await assert.rejects(openTape(gzipSync(Buffer.from("not a tape"))));
});
