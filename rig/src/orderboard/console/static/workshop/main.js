// The page of the workshop: the list of exercises, and the chosen one. Without a choice it shows the open one.

import { el } from "../dom.js";
import "../present/mode.js";
import "../theme.js";
import { Exercise } from "./exercise.js";
import { Progress } from "./progress.js";

const SIGNS = { solved: "✓", skipped: "–", open: "○", "not opened": "" };
const byId = (id) => document.getElementById(id);
let known = { current: null, wall: null, exercises: [] };

const chosen = () => {
  const number = Number(location.hash.slice(1)) || known.current;
  return known.exercises.find((each) => each.number === number) ?? known.exercises[0];
};

const exercise = new Exercise(byId("exercise"), () => progress.read());

function show() {
  const shown = chosen();
  if (!shown) return;
  byId("exercises").replaceChildren(...known.exercises.map(({ number, title, minutes, status }) =>
    el("li", {}, el("a", { href: `#${number}`, "aria-current": number === shown.number ? "true" : null },
      `${number}. ${title}`, el("span", { class: `sign ${status}` }, el("span", { "aria-hidden": "true" }, number === known.current && status === "open" ? "●" : SIGNS[status] || `${minutes} min`), el("span", { class: "unseen" }, status))))));
  const solved = known.exercises.filter((each) => each.status === "solved").length;
  byId("solved").textContent = `${solved} of ${known.exercises.length} solved`;
  const { wall } = known;
  byId("wall").textContent = wall ? `You are on the wall at ${wall.url} as ${wall.name}. It gets ${wall.sent}.` : "";
  exercise.show(shown, known.current);
}

const progress = new Progress(
  (found) => { known = found; show(); },
  (message) => { byId("trouble").hidden = !message; byId("trouble").textContent = message ?? ""; },
);
addEventListener("hashchange", show);
