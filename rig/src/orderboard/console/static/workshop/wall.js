// The wall: everyone's progress, read every second. The token follows # in the address, which a browser does not send.

import { el } from "../dom.js";
import "../theme.js";

const EVERY_MS = 1000;
const CROWD = 18; // rows
const AWAY_S = 3600;
const NAMED = 8;
const byId = (id) => document.getElementById(id);
const whole = (minutes) => String(Math.max(0, Math.round(minutes)));
const ago = (seconds) => (seconds < 90 ? "now" : seconds < 5400 ? `${whole(seconds / 60)} min` : `${whole(seconds / 3600)} h`);

function live(text, state) {
  if (byId("live").textContent === text) return;
  byId("live").textContent = text;
  byId("live").className = `live ${state}`;
}

function cell(found, planned) {
  const made = el("td", {});
  if (!found || found.status === "not opened") return made;
  const { status, minutes, hints, met, findings } = found;
  const late = status === "open" && minutes > planned;
  const sign = { solved: "✓", open: "●", skipped: "–" }[status];
  const time = minutes === null || status === "skipped" ? "" : ` ${whole(minutes)}`;
  made.append(el("span", { class: `cell ${late ? "late" : status}` }, el("span", { "aria-hidden": "true" }, sign),
    el("span", { class: "unseen" }, `${status}${late ? ", longer than planned" : ""}, minutes:`), time));
  if (hints) made.append(el("span", { class: "hints", title: `${hints} hints seen` }, `?${hints}`));
  if (status === "open" && findings) made.append(el("span", { class: "met", title: "findings met by the last check" }, `${met}/${findings}`));
  return made;
}

function show({ exercises, attendees, stuck }) {
  const solved = exercises.reduce((sum, each) => sum + each.solved, 0);
  byId("summary").textContent = `${attendees.length} ${attendees.length === 1 ? "attendee" : "attendees"} · ${solved} of ${attendees.length * exercises.length} exercises solved`;
  byId("stuck").replaceChildren(...stuck.slice(0, 3).map(({ number, title, names }) => el("p", {},
    el("b", {}, `Stuck at ${number}: `), `${title}: `, names.slice(0, NAMED).join(", "), names.length > NAMED ? ` and ${names.length - NAMED} more` : "")));
  const head = exercises.map(({ number, title, minutes, solved: by, median_minutes }) =>
    el("th", { scope: "col", title }, el("b", {}, String(number)), el("small", {}, `${by} ✓`),
      el("small", {}, median_minutes === null ? `${minutes} min` : `${whole(median_minutes)}/${minutes} min`)));
  const rows = attendees.map(({ name, seen_s, cells }) => el("tr", {},
    el("th", { scope: "row", class: seen_s > AWAY_S ? "away" : "", title: name }, name),
    ...exercises.map(({ number, minutes }) => cell(cells[number], minutes)),
    el("td", {}, el("small", {}, ago(seen_s)))));
  const nobody = el("tr", {}, el("td", { class: "nobody", colspan: exercises.length + 2 }, "Nobody has joined yet: orderboard workshop start --name NAME --wall ", location.href));
  byId("wall").className = `wall ${attendees.length > CROWD ? "crowd" : ""}`;
  byId("wall").replaceChildren(
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), ...head, el("th", { scope: "col" }, el("small", {}, "last report")))),
    el("tbody", {}, ...(rows.length ? rows : [nobody])));
}

async function read() {
  try {
    const response = await fetch("/api/wall", { headers: { Authorization: `Bearer ${location.hash.slice(1)}` } });
    const found = await response.json();
    byId("trouble").hidden = response.ok;
    byId("trouble").textContent = response.ok ? "" : found.message;
    if (response.ok) show(found);
    live(response.ok ? "live" : "not shown", response.ok ? "on" : "off");
  } catch {
    live("the wall does not answer", "off");
  }
  setTimeout(read, EVERY_MS);
}

read();
