/** A lesson as a link: its own state, and the settings of a run like it. */

/** The whole visible state, as a link's parameters. @param {import("./page.js").LessonPage} page */
export function queryOf({ data, state, figure }) {
  /** @type {Record<string, string>} */
  const query = { lesson: String(data.number), lang: data.lang };
  if (data.view === "present") query.view = "present";
  if (data.hidden.length) query.hide = data.hidden.join(",");
  if (state.phase === "open") query.answer = "1";
  for (const { name, value } of data.controls) if (state.values[name] !== value) query[name] = String(Number.isFinite(state.values[name]) ? Number(state.values[name].toFixed(6)) : state.values[name]);
  return { ...query, ...figure?.state?.() };
}

/** A lesson's link to a run, with the controls' values in it. @param {Record<string, string>} query @param {Record<string, any>} values @returns {Record<string, string>} */
export function filledQuery(query, values) {
  const filled = Object.entries(query).map(([key, text]) =>
    [key, text.replace(/\{(\w+)(?::([^}]*))?\}/g, (/** @type {string} */ _, /** @type {string} */ name, /** @type {string} */ map) => translated(values[name], map))]);
  return Object.fromEntries(filled);
}

/** A value by a list of "from=to"; as it is where none is given. @param {any} value @param {string} [map] */
function translated(value, map) {
  const found = (map ?? "").split("|").find((pair) => pair.startsWith(`${value}=`));
  return found ? found.slice(String(value).length + 1) : String(value);
}
