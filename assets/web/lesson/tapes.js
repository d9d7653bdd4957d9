/** Where a lesson's tapes lie on a server: shipped ones by name, a run's own as "run/TOKEN". */

/** @param {string} base @param {string} name @returns {Promise<Uint8Array>} */
export async function fetchTape(base, name) {
  const own = name.startsWith("run/") ? `runs/${name.slice(4)}/lesson` : `tapes/${name}`;
  const answer = await fetch(`${base}/${own}.tape`);
  if (!answer.ok) throw new Error(`${name}.tape: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
