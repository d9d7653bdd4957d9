import assert from "node:assert/strict";
import { test } from "node:test";
import { curveSpec, drawn, evaluationSpec, hasSpread, median, metricsOf, usedDegrees } from "../../assets/web/training/curves.js";
import { History, clock, secondsLeft, shownEvents } from "../../assets/web/training/history.js";

const answer = (steps, more = {}) => ({ anew: false, at: `${steps.join()}-x`, train: { step: steps, loss: steps.map((k) => 1 / k) }, others: [], ...more });
const options = { last: 100, lang: "en" };

test("answers add up, and a journal told anew begins again", () => {
  const history = new History();
  assert.equal(history.take(answer([1, 2], { anew: true })), true);
  history.take(answer([3], { others: [{ kind: "event", step: 3 }, { kind: "angles", step: 3 }, { kind: "evaluation", step: 3 }] }));
  assert.deepEqual(history.train.step, [1, 2, 3]);
  assert.deepEqual([history.events.length, history.angles.length, history.evaluations.length], [1, 1, 1]);
  assert.equal(history.take({ ...answer([]), at: history.at }), false);
  history.take(answer([1], { anew: true }));
  assert.deepEqual(history.train.step, [1]);
  assert.equal(history.evaluations.length, 0);
});

test("however long somebody watches, there is an end to the points, and the newest is among them", () => {
  const history = new History();
  for (let step = 1; step <= 20_000; step += 1) history.take(answer([step]));
  const { step, loss } = history.train;
  assert.ok(step.length < 4000 && step.length === loss.length);
  assert.equal(step[step.length - 1], 20_000);
  assert.deepEqual([...step].sort((a, b) => a - b), step);
  assert.ok(drawn(step.map((k) => [k, 1])).length <= 502);
});

test("the last number is passed over where it is none", () => {
  const history = new History();
  history.take({ ...answer([1, 2]), train: { step: [1, 2], loss: [3, null] } });
  assert.equal(history.last("loss"), 3);
  assert.equal(history.last("angle_deg"), undefined);
});

test("time left is told by a clock", () => {
  assert.equal(clock(secondsLeft({ step: 20, steps: 120, batch_size: 128 }, 128)), "1:40");
  assert.equal(clock(3 * 3600 + 62), "3:01:02");
  assert.equal(clock(secondsLeft({ step: 0, steps: 9, batch_size: 2 }, undefined)), "–");
});

test("of checkpoints that say nothing the newest is shown", () => {
  const events = [{ event: "started" }, { event: "checkpoint" }, { event: "checkpoint", sentence: "x" }, { event: "checkpoint" }];
  assert.deepEqual(shownEvents(events, 9).map((one) => [one.event, one.sentence]), [["checkpoint", undefined], ["checkpoint", "x"], ["started", undefined]]);
  assert.equal(shownEvents(events, 1).length, 1);
});

test("a curve lies in its chart, from 0 or in powers of ten, and gaps stay gaps", () => {
  const train = { step: [1, 2, 3, 4], loss: [18.5, null, 3, 0.02] };
  const plain = curveSpec(train, "loss", options);
  assert.deepEqual(plain.y, [0, 20]);
  assert.ok(Number.isNaN(plain.series[0].points[1][1]));
  const log = curveSpec(train, "loss", { ...options, log: true });
  for (const [, y] of log.series[0].points) assert.ok(Number.isNaN(y) || (y >= log.y[0] && y <= log.y[1]));
  assert.ok(log.yTicks.length >= 2 && log.yTicks.every(([at]) => at >= log.y[0] - 1e-9 && at <= log.y[1] + 1e-9));
  for (const loss of [[], [0, 0], [null], [-1, 5]]) {
    for (const way of [false, true]) {
      const { y } = curveSpec({ step: loss.map((_, i) => i), loss }, "loss", { ...options, log: way });
      assert.ok(y[0] < y[1], `${loss} ${way}`);
    }
  }
  assert.ok(curveSpec({}, "loss", options).y[1] > 0);
});

test("an evaluation has a line for each set and only measures that there are", () => {
  const evaluations = [0, 10].flatMap((step) => ["lfw", "cfp"].map((set) => ({ step, set, accuracy: step ? 0.95 : 0.6, "tar_at_0.01": null, eer: 0.1 })));
  assert.deepEqual(metricsOf(evaluations), ["accuracy", "eer"]);
  const spec = evaluationSpec(evaluations, "accuracy", { ...options, name: (set, value) => `${set} ${value}` });
  assert.deepEqual(spec.series.map(({ label, points }) => [label, points.length]), [["lfw 0.95", 2], ["cfp 0.95", 2]]);
  assert.deepEqual(spec.y, [0.6, 1]);
  assert.notEqual(spec.series[0].tone, spec.series[1].tone);
});

test("histograms: half lies below the median, and only whole ones count", () => {
  const counts = new Array(180).fill(0);
  counts[44] = 10;
  counts[46] = 10;
  assert.ok(median(counts) >= 45 && median(counts) <= 46);
  assert.ok(Number.isNaN(median(new Array(180).fill(0))));
  assert.ok(hasSpread({ own: counts, nearest_other: counts }));
  for (const own of [[], undefined, counts.slice(1), [...counts.slice(1), "x"]]) assert.ok(!hasSpread({ own, nearest_other: counts }));
  assert.deepEqual(usedDegrees([{ own: counts, nearest_other: counts }]), [40, 50]);
  assert.deepEqual(usedDegrees([]), [0, 180]);
});
