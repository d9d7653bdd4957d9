/**
 * The traces and layouts that the scene hands to Plotly, as plain objects. Pure.
 *
 * @typedef {{colors: any, flat: boolean}} Look
 */
import { INNER } from "./project.js";
import { classColor, classShape, darker } from "./palette.js";
import { circlePoints, greatCircles } from "./shapes.js";

/** Both axes: room for caps and labels outside the circle. */
export const RANGE = [-1.27, 1.27];
const SPACE = [-1.3, 1.3];
/** How much of the stage the sphere fills, in Plotly's units of an orthographic scene. */
const FILL = 2.02;
const CAMERA = {
  eye: { x: 1.35, y: 0.95, z: 0.75 },
  center: { x: 0, y: 0, z: 0 },
  up: { x: 0, y: 0, z: 1 },
  projection: { type: "orthographic" }, // a sphere must look round
};

/** The size at which Plotly draws a 3-D marker one pixel wide in this scene (measured). */
const SPRITE = 0.335;

/** Diameter of a sample's marker, CSS pixels. @param {number} side of the stage */
export function markerSize(side) {
  return Math.min(9, Math.max(5, side / 90));
}

/** @param {number} dim @returns {any} */
export function layoutFor(dim) {
  const bare = { margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, hovermode: false };
  const clear = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  const modebar = { bgcolor: "rgba(0,0,0,0)", color: "#8a8f9c", activecolor: "#5b6ad0" };
  const common = { ...bare, ...clear, modebar, uirevision: "keep", autosize: true };
  if (dim === 3) {
    const axis = { visible: false, range: SPACE, autorange: false, showspikes: false };
    const scene = {
      xaxis: axis, yaxis: { ...axis }, zaxis: { ...axis }, aspectmode: "manual",
      aspectratio: { x: FILL, y: FILL, z: FILL }, camera: CAMERA, dragmode: "orbit", hovermode: false, bgcolor: "rgba(0,0,0,0)",
    };
    return { ...common, scene };
  }
  // Plotly writes the zoom into the ranges that it is given.
  const axis = () => ({ visible: false, range: [...RANGE], autorange: false, fixedrange: false, constrain: "domain" });
  return { ...common, dragmode: "pan", xaxis: axis(), yaxis: { ...axis(), scaleanchor: "x" } };
}

/** Circle, or sphere with great circles, or the axes of open space. @param {number} dim @param {Look} look @returns {any[]} */
export function frameTraces(dim, look) {
  const quiet = { hoverinfo: "skip", showlegend: false };
  if (dim === 2) {
    const { x, y } = circlePoints(180);
    const line = { color: look.colors.rim, width: 1.5 };
    const cross = { x: [-1.1, 1.1, null, 0, 0], y: [0, 0, null, -1.1, 1.1] };
    return [
      { ...quiet, type: "scatter", mode: "lines", x, y, line, visible: look.flat },
      { ...quiet, type: "scatter", mode: "lines", ...cross, line: { color: look.colors.grid, width: 1 }, visible: true },
    ];
  }
  const axes = { x: [-1, 1, null, 0, 0, null, 0, 0], y: [0, 0, null, -1, 1, null, 0, 0], z: [0, 0, null, 0, 0, null, -1, 1] };
  return [
    {
      ...quiet, type: "surface", ...sphereMesh(INNER, 40), showscale: false,
      visible: look.flat,
      colorscale: [[0, look.colors.shade], [1, look.colors.sphere]], cmin: -1, cmax: 1,
      // With an orthographic camera Plotly's own lights do nothing: the shade is part of the colour.
      lighting: { ambient: 1, diffuse: 0, specular: 0, fresnel: 0 },
      contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } },
    },
    {
      ...quiet, type: "scatter3d", mode: "lines", ...greatCircles(0.992), visible: look.flat,
      line: { color: look.colors.rim, width: 1.5 },
    },
    {
      ...quiet, type: "scatter3d", mode: "lines", ...axes, visible: !look.flat,
      line: { color: look.colors.rim, width: 2 },
    },
  ];
}

/** @param {number} radius @param {number} count */
function sphereMesh(radius, count) {
  const rows = [...Array(count + 1).keys()].map((i) => (Math.PI * i) / count);
  const columns = [...Array(2 * count + 1).keys()].map((j) => (Math.PI * j) / count);
  const grid = (/** @type {(a: number, b: number) => number} */ f) =>
    rows.map((a) => columns.map((b) => radius * f(a, b)));
  return {
    x: grid((a, b) => Math.sin(a) * Math.cos(b)),
    y: grid((a, b) => Math.sin(a) * Math.sin(b)),
    z: grid((a) => Math.cos(a)),
    surfacecolor: grid((a, b) => light(Math.sin(a) * Math.cos(b), Math.sin(a) * Math.sin(b), Math.cos(a)) / radius),
  };
}

/** Brightness of a place on the sphere, −1 … 1: a lamp above and in front of the first camera. @param {number} x @param {number} y @param {number} z */
function light(x, y, z) {
  return Math.max(-1, Math.min(1, 0.62 * x + 0.18 * y + 0.76 * z + 0.25));
}

/** The samples, empty until the picture rests. @param {number} dim @param {{labels: number[], heldOut: number[]|null}} run @param {{width: number}} size @param {string} [background] what shows through a hollow one @returns {any} */
export function sampleTrace(dim, run, size, background = "#ffffff") {
  const { labels, heldOut } = run;
  const hollow = (/** @type {number} */ i) => Boolean(heldOut && heldOut[i]);
  const color = labels.map((label, i) => (hollow(i) ? background : classColor(label)));
  const edge = labels.map((label, i) => (hollow(i) ? classColor(label) : darker(classColor(label))));
  const symbols = labels.some((label) => label >= 10) ? labels.map(classShape) : "circle";
  const marker = {
    color, symbol: symbols, opacity: 1, size: markerSize(size.width) * (dim === 3 ? SPRITE : 1),
    line: { color: edge, width: heldOut ? 1.4 : 0.8 },
  };
  /** @type {Record<string, any>} */
  const base = { uid: "samples", mode: "markers", marker, hoverinfo: "skip", visible: false, x: [], y: [] };
  if (dim === 2) return { ...base, type: "scatter", cliponaxis: false };
  return { ...base, type: "scatter3d", z: [] };
}

/** Everything shown, as one figure for a picture file. @param {any} run @param {Look} look @param {any} shown @param {any} camera */
export function exportFigure(run, look, shown, camera) {
  const { dim } = run;
  const samples = sampleTrace(dim, run, { width: 640 }, look.colors.background);
  samples.visible = true;
  ["x", "y", "z"].slice(0, dim).forEach((axis, d) => {
    samples[axis] = Array.from({ length: shown.points.length / dim }, (_, i) => shown.points[i * dim + d]);
  });
  const layout = { ...layoutFor(dim), paper_bgcolor: look.colors.background, hovermode: false };
  if (camera && layout.scene) layout.scene = { ...layout.scene, ...camera };
  return { data: [...frameTraces(dim, look), samples, ...prototypeTraces(dim, shown)], layout };
}

/** Arrows with labels and caps as traces. @param {number} dim @param {any} shown */
function prototypeTraces(dim, shown) {
  const type = dim === 3 ? "scatter3d" : "scatter";
  const axes = ["x", "y", "z"].slice(0, dim);
  const from = dim === 3 ? 1 : 0;
  const traces = [];
  for (let c = 0; c < shown.names.length; c += 1) {
    /** @type {Record<string, any>} */
    const arrow = { type, mode: "lines", line: { color: classColor(c), width: dim === 3 ? 5 : 2 } };
    /** @type {Record<string, any>} */
    const label = { type, mode: "text", text: [shown.names[c]], textfont: { color: shown.ink, size: 15 } };
    axes.forEach((axis, d) => {
      const w = shown.prototypes[c * dim + d];
      arrow[axis] = [from * w, (dim === 3 ? 1.2 : 0.96) * w];
      label[axis] = [1.24 * w];
    });
    traces.push(arrow);
    if (shown.seen[c]) traces.push(label);
  }
  for (const cap of shown.caps) {
    /** @type {Record<string, any>} */
    const line = { type, mode: "lines", line: { color: cap.color, width: dim === 3 ? 3 : 6 } };
    axes.forEach((axis, d) => {
      line[axis] = cap.points.map((/** @type {number[]} */ p) => p[d]);
    });
    traces.push(line);
  }
  return traces.map((trace) => ({ ...trace, hoverinfo: "skip", showlegend: false, cliponaxis: false }));
}
