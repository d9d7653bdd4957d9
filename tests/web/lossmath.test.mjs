import assert from "node:assert/strict";
import { test } from "node:test";
import { decisionBoundary } from "../../assets/web/formula.js";
import {
  alongCircle, angleChord, chordAngle, contrastive, costs, nudgeApart, trainingBoundary, triplet, twoClassProbability,
} from "../../assets/web/lesson/lossmath.js";

const near = (a, b, by = 1e-6) => assert.ok(Math.abs(a - b) <= by * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

test("the slope of the pair loss is its derivative", () => {
  for (const pair of ["same", "different"]) {
    for (const d of [0.2, 0.7, 1.3, 1.9]) {
      const [left, right] = [d - 1e-5, d + 1e-5].map((v) => contrastive(pair, v, 1).loss);
      near(contrastive(pair, d, 1).slope, (right - left) / 2e-5, 1e-4);
    }
  }
});

test("a different pair beyond the margin is left alone", () => {
  assert.deepEqual(contrastive("different", 1, 1), { loss: 0, slope: 0 });
  assert.deepEqual(contrastive("different", 1.5, 1), { loss: 0, slope: 0 });
});

test("the force along the circle is the derivative by the angle", () => {
  for (const angle of [0.1, 1, 2, 3]) {
    const loss = (a) => contrastive("same", angleChord(a), 1).loss;
    const d = angleChord(angle);
    near(chordAngle(d), angle);
    near(alongCircle(contrastive("same", d, 1).slope, d), (loss(angle + 1e-5) - loss(angle - 1e-5)) / 2e-5, 1e-4);
  }
  near(alongCircle(contrastive("same", 2, 1).slope, 2), 0);
});

test("the zones of the negative example", () => {
  assert.equal(triplet(0.5, 0.4, 0.2).zone, "hard");
  assert.equal(triplet(0.5, 0.5, 0.2).zone, "hard");
  assert.equal(triplet(0.5, 0.6, 0.2).zone, "semi");
  assert.deepEqual(triplet(0.5, 0.7, 0.2), { loss: 0, zone: "easy" });
  assert.deepEqual(triplet(0.1, 0.3, 0.2), { loss: 0, zone: "easy" }); // 0.1 + 0.2 > 0.3 in floats
  near(triplet(0.5, 0, 0.2).loss, 0.7);
});

test("the training boundary lies on the general decision boundary", () => {
  for (const m2 of [0, 0.2, 0.5, 1]) {
    const apart = 1.26;
    const first = trainingBoundary(apart, m2);
    const pairs = decisionBoundary({ m1: 1, m2, m3: 0 }, 20001);
    const [one, two] = pairs.reduce((best, pair) => (Math.abs(pair[0] + pair[1] - apart) < Math.abs(best[0] + best[1] - apart) ? pair : best));
    near(first, one, 1e-3);
    near(apart - first, two, 1e-3);
  }
  assert.ok(Number.isNaN(trainingBoundary(0.6, 0.7)));
});

test("on its boundary a class has probability one half", () => {
  near(twoClassProbability(0.63, 1.26, 0, 16), 0.5);
  near(twoClassProbability(trainingBoundary(1.26, 0.5), 1.26, 0.5, 64), 0.5);
  assert.ok(twoClassProbability(0.3, 1.26, 0.5, 16) < twoClassProbability(0.3, 1.26, 0, 16));
});

test("pairs and triplets are as many as one counts", () => {
  for (const [identities, images] of [[2, 2], [3, 2], [3, 4], [5, 3]]) {
    const labels = Array.from({ length: identities * images }, (_, i) => i % identities);
    let pairs = 0;
    let triplets = 0;
    labels.forEach((a, i) => labels.forEach((b, j) => {
      if (i < j) pairs += 1;
      if (i !== j && a === b) triplets += labels.filter((c) => c !== a).length;
    }));
    const found = costs(identities, images, 8, 4);
    assert.equal(found.pairs, pairs);
    assert.equal(found.triplets, triplets);
  }
});

test("the lecture's final layer has 47.8 million parameters", () => {
  const { parameters, logits } = costs(93431, 20, 512, 512);
  assert.equal(parameters, 47836672);
  assert.equal((parameters / 1e6).toFixed(1), "47.8");
  assert.equal(logits, parameters);
});

test("labels keep their distance, their order and their frame", () => {
  const sizes = [10, 20, 10, 12];
  for (const wanted of [[10, 10, 10, 10], [0, 1, 99, 100], [50, 20, 21, 22], [5, 40, 41, 90], [95, 96, 97, 98]]) {
    const places = nudgeApart(wanted, sizes, 5, 0, 100);
    const order = [0, 1, 2, 3].sort((a, b) => wanted[a] - wanted[b] || a - b);
    order.slice(1).forEach((item, i) => {
      const room = places[item] - places[order[i]] - (sizes[item] + sizes[order[i]]) / 2;
      assert.ok(room >= 5 - 1e-9, `${places}`);
    });
    places.forEach((at, i) => assert.ok(at - sizes[i] / 2 >= -1e-9 && at + sizes[i] / 2 <= 100 + 1e-9, `${places}`));
  }
  assert.deepEqual(nudgeApart([10, 60], [18, 18], 4, 0, 100), [10, 60]);
});
