/** Plotly, once for all views: its file may be on its way while our own modules still load. */

/** @type {Promise<void>|undefined} */
let plotly;

/** Plotly's own file from our route, once for all views. @param {string} base */
export function loadPlotly(base) {
  plotly ??= new Promise((resolve, reject) => {
    if (/** @type {any} */ (globalThis).Plotly) {
      resolve();
      return;
    }
    const script = document.createElement("script");
    script.src = `${base}/plotly/plotly.min.js`;
    script.onload = () => resolve();
    script.onerror = () => {
      plotly = undefined;
      script.remove();
      reject(new Error("plotly.min.js did not load"));
    };
    document.head.append(script);
  });
  return plotly;
}
