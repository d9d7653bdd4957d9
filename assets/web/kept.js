/**
 * Streamlit calls a component's script again at every change of its data: what it built stays on the
 * parent element, later calls only update it, and it ends when its place on the page is gone.
 *
 * @typedef {import("./live.js").Component} Component
 * @typedef {{update: (data: any) => void, dispose: () => void}} Kept
 */
const KEY = "__facevisView";
const GRACE = 1500;

/** @param {Component} component @param {(parent: any) => Kept} build @param {any} data */
export function keep(component, build, data) {
  const parent = /** @type {any} */ (component.parentElement);
  parent[KEY] ??= build(parent);
  parent[KEY].update(data);
}

/** End what stands at a place that is gone; a mere rerun leaves it alone. @param {Component} component */
export function letGo(component) {
  const parent = /** @type {any} */ (component.parentElement);
  setTimeout(() => {
    if (!parent[KEY] || parent.isConnected) return;
    parent[KEY].dispose();
    delete parent[KEY];
  }, GRACE);
}
