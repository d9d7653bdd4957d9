import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame, readPoints, readPrototypes } from "../../assets/web/protocol.js";

const SHAPE = { members: 2, classes: 2, points: 3, dim: 2 };

function encode(header, prototypes, points) {
  let text = JSON.stringify(header);
  while (text.length % 4) text += " ";
  const buffer = new ArrayBuffer(4 + text.length + 4 * prototypes.length + 2 * points.length);
  new DataView(buffer).setUint32(0, text.length, true);
  new Uint8Array(buffer, 4, text.length).set(new TextEncoder().encode(text));
  new Float32Array(buffer, 4 + text.length, prototypes.length).set(prototypes);
  new Int16Array(buffer, 4 + text.length + 4 * prototypes.length, points.length).set(points);
  return buffer;
}

const points = Array.from({ length: 12 }, (_, i) => i * 1000);
const buffer = encode({ step: 7, kept: true, extent: [1, 2] }, [1, 0, 0, 1, 0.5, 0, 0, 0.5], points);

test("a frame comes back as it was sent", () => {
  const frame = decodeFrame(buffer, SHAPE);
  assert.equal(frame.step, 7);
  assert.equal(frame.bytes, buffer.byteLength);
  assert.deepEqual([...readPrototypes(frame, 1, new Float32Array(4))], [0.5, 0, 0, 0.5]);
});

test("coordinates are scaled by their member's extent", () => {
  const frame = decodeFrame(buffer, SHAPE);
  const second = readPoints(frame, 1, new Float32Array(6));
  assert.ok(Math.abs(second[0] - (6000 / 32767) * 2) < 1e-6);
  const first = readPoints(frame, 0, new Float32Array(6));
  assert.ok(Math.abs(first[5] - 5000 / 32767) < 1e-6);
});

test("a frame of another run or a torn one is refused", () => {
  assert.throws(() => decodeFrame(buffer, { ...SHAPE, points: 4 }), /does not fit/);
  assert.throws(() => decodeFrame(buffer.slice(0, 30), SHAPE), /does not fit/);
  assert.throws(() => decodeFrame(new ArrayBuffer(2), SHAPE), /does not fit/);
});
