/**
 * A lesson by itself: the data, the tapes and Plotly are in the page; no server is asked for
 * anything. Of a course the other lessons lie beside it.
 */
import { LessonPage } from "./page.js";

export function begin() {
  const data = read("data");
  const tapes = read("tapes");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const asked = new URLSearchParams(location.search);
  let view = asked.get("view") === "present" ? "present" : "normal";
  const page = new LessonPage(document.getElementById("lesson"), {
    go: (number) => {
      if (data.course) location.href = `${data.course.files[number - 1]}${view === "present" ? "?view=present" : ""}`;
    },
    present: (on) => {
      view = on ? "present" : "normal";
      show();
    },
    link: () => location.href,
    notes: (number) => `${data.course.notes}#lesson-${number}`,
    tape: async (name) => Uint8Array.from(atob(tapes[name]), (letter) => letter.charCodeAt(0)),
    loadPlotly: async () => {},
  });
  const show = () => {
    document.body.dataset.theme = dark.matches ? "dark" : "light";
    page.update({
      ...data, view, theme: document.body.dataset.theme, base: "", app: null, hasNotes: Boolean(data.course),
      alone: !data.course, hidden: [], revealed: false, start: {}, opening: 1,
    });
  };
  dark.addEventListener("change", show);
  show();
}

/** @param {string} id */
function read(id) {
  return JSON.parse(document.getElementById(id).textContent);
}
