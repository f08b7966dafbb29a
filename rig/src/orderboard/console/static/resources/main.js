// The page of resources: one snapshot for the list and the chosen resource, read at the pace that the backend allows.

import "../present/mode.js";
import "../theme.js";
import { count, el, get } from "../dom.js";
import { Arrival } from "./arrival.js";
import { Detail } from "./detail.js";
import { fixing } from "./format.js";
import { List } from "./list.js";

const byId = (id) => document.getElementById(id);
const TICK_MS = 500;
let snapshot = null;
let rows = new Map();
let readAt = -Infinity;
let reading = false;

const detail = new Detail(byId("detail"), { onChoose: choose, onMessage: (id) => arrival.explain(id), onBack: () => choose("") });
const list = new List(byId("list"), choose);
const arrival = new Arrival(byId("arrival-form"), byId("message-id"), byId("arrival"), choose);

function choose(arn) {
  const known = !arn || rows.has(arn);
  if (!known) return;
  history.pushState(null, "", arn ? `#${encodeURIComponent(arn)}` : location.pathname); // so that Back closes it
  show(arn);
  if (arn) byId("detail").querySelector("h2").focus();
}

function show(arn) {
  document.body.classList.toggle("has-detail", Boolean(arn));
  list.choose(arn);
  if (arn) detail.update(rows.get(arn), snapshot);
  else detail.clear();
}

// The resource that the address names: #ARN, or #queue=NAME as the board links to one.
function named() {
  const text = decodeURIComponent(location.hash.slice(1));
  const [kind, name] = text.split("=", 2);
  if (name === undefined) return rows.has(text) ? text : "";
  return [...rows.values()].find((row) => row.kind === kind && row.name === name)?.arn ?? "";
}

function live(text, state) {
  if (byId("live").textContent === text) return;
  byId("live").textContent = text;
  byId("live").className = `live ${state}`;
}

async function read(fresh = false) {
  reading = true;
  try {
    const found = await get(`/api/resources${fresh ? "?fresh=1" : ""}`);
    update(found);
    byId("trouble").hidden = true;
    live(found.every_s === null ? "read when you ask" : found.every_s > 5 ? `read every ${found.every_s} s` : "live", "on");
  } catch (error) {
    byId("trouble").textContent = error.message;
    byId("trouble").hidden = false;
    live("no backend", "off");
  } finally {
    reading = false;
    readAt = performance.now();
  }
}

function update(found) {
  const first = snapshot === null;
  snapshot = found;
  byId("where").textContent = `${found.backend} ${found.endpoint_url ?? ""}`;
  byId("refresh").hidden = found.backend === "localbus";
  for (const row of found.rows) {
    row.losses = found.losses.filter((loss) => [loss.via, loss.source, loss.target].includes(row.arn));
    row.lost = row.losses.reduce((sum, loss) => sum + loss.count, 0);
  }
  rows = new Map(found.rows.map((row) => [row.arn, row]));
  list.update(found.rows, { unread: found.unread, scopes: new Set(found.rows.map((row) => `${row.account} ${row.region}`)).size });
  losses(found.losses);
  const chosen = first ? named() : detail.row?.arn ?? "";
  if (first && chosen) show(chosen);
  else if (rows.has(chosen)) detail.update(rows.get(chosen), found);
  else if (chosen) detail.clear("The resource was deleted.");
  else if (first) detail.clear();
}

let shownLosses = "";
function losses(found) {
  const place = byId("losses");
  const key = JSON.stringify(found);
  if (key === shownLosses) return;
  shownLosses = key;
  place.hidden = found.length === 0;
  const all = found.reduce((sum, loss) => sum + loss.count, 0);
  const open = place.querySelector("details")?.open ?? (found.length <= 3 && innerWidth > 900);
  const link = (arn, name) => (rows.has(arn) ? el("button", { type: "button", class: "chip", onclick: () => choose(arn) }, name) : name);
  place.replaceChildren(el("details", { open }, el("summary", {}, el("strong", { class: "bad-text" }, `${count(all)} not delivered`), ", which AWS does not report to the sender"),
    el("ul", { class: "lost" }, ...found.map((loss) => el("li", {}, el("p", {}, el("b", {}, `${count(loss.count)} ${loss.verb}`), ` ${loss.target ? "from" : "of"} `, link(loss.via ?? loss.source, loss.source_name), ...(loss.target ? [" to ", link(loss.target, loss.target_name)] : []), `: ${loss.reason}. ${loss.fix}`),
      fixing(loss.command))))));
}

byId("refresh").addEventListener("click", () => read(true));
addEventListener("popstate", () => show(named())); // also for a link to another #ARN

get("/api/resources/about").then(({ why_no_board }) => {
  if (why_no_board === null) return;
  byId("to-board").removeAttribute("href");
  byId("to-board").setAttribute("aria-disabled", "true");
  byId("no-board").textContent = `No board here: ${why_no_board}`;
  byId("no-board").hidden = false;
}, () => {});

await read();
setInterval(() => {
  const every_s = snapshot === null ? 2 : snapshot.every_s;
  if (document.hidden || reading || every_s === null || performance.now() - readAt < every_s * 1000) return;
  read();
  detail.tick();
}, TICK_MS);
