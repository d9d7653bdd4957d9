/** What of a view belongs into a link. */

/** What only the browser knows: the step that is held, the camera, a slider's place. @param {import("./view.js").View} view @returns {Record<string, string>} */
export function stateOf({ stage, status, store, transport, panel }) {
  if (!stage) return {};
  const { player, scene } = stage;
  // What still trains is linked at the last step that is kept: there the other end can stop.
  const resting = status.state === "recorded" || status.state === "finished";
  const kept = resting ? undefined : store.kept[store.kept.length - 1];
  const step = player.mode === "hold" ? player.frame?.step : kept?.step;
  const camera = scene.camera();
  return {
    ...(step === undefined ? {} : { step: String(step) }),
    ...(camera ? { cam: camera } : {}),
    ...(transport.projects ? { project: "1" } : {}),
    ...panel.linked(),
  };
}

/** The address of this moment: the page's own, and what only the browser knows. @param {import("./view.js").View} view */
export function linkOf(view) {
  const address = new URL(location.href);
  for (const [name, text] of Object.entries(stateOf(view))) address.searchParams.set(name, text);
  return address.href;
}
