/**
 * The picture under samples in motion, on the canvas: lines as Plotly draws them, and a copy of what
 * WebGL has drawn.
 *
 * @typedef {import("./project.js").Projection} Projection
 */

/** One of Plotly's line traces, on the canvas. @param {CanvasRenderingContext2D} context @param {Projection} projection @param {any} trace */
export function drawLine(context, projection, trace) {
  const at = new Float64Array(3);
  let drawing = false;
  context.beginPath();
  for (const [i, x] of trace.x.entries()) {
    if (x === null) {
      drawing = false;
      continue;
    }
    projection.put(x, trace.y[i], trace.z?.[i] ?? 0, at);
    if (drawing) context.lineTo(at[0], at[1]);
    else context.moveTo(at[0], at[1]);
    drawing = true;
  }
  context.strokeStyle = trace.line.color;
  context.lineWidth = trace.line.width;
  context.stroke();
}

/** What WebGL has just drawn, as a picture; only in the task that drew it. @param {WebGLRenderingContext} gl @param {HTMLCanvasElement} canvas */
export function copyDrawn(gl, canvas) {
  const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
  const pixels = new Uint8Array(4 * width * height);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context?.putImageData(new ImageData(upright(pixels, width, height), width, height), 0, 0);
}

/** WebGL's rows from below with alpha multiplied in, as a picture has them. @param {Uint8Array} pixels @param {number} width @param {number} height */
function upright(pixels, width, height) {
  const out = new Uint8ClampedArray(pixels.length);
  const row = 4 * width;
  for (let y = 0; y < height; y += 1) out.set(pixels.subarray((height - 1 - y) * row, (height - y) * row), y * row);
  for (let i = 3; i < out.length; i += 4) {
    const alpha = out[i];
    if (alpha === 0 || alpha === 255) continue;
    for (let k = i - 3; k < i; k += 1) out[k] = (out[k] * 255) / alpha;
  }
  return out;
}
