// Texts and small elements of this page. What came from queues and from users is set as text only.

import { age, copyable, count, el } from "../dom.js";

export const KINDS = { queue: "Queues", topic: "Topics", subscription: "Subscriptions", bus: "Buses", rule: "Rules", mapping: "Mappings", table: "Tables" };
const ONE = { subscriptions: "subscription", rules: "rule", targets: "target", items: "item", archives: "archive" };

// The numbers of a resource in a line, such as "3 waiting, 1 in flight, oldest 12 s".
export function state({ kind, counts }) {
  if (kind === "queue") {
    const { visible, in_flight, delayed } = counts;
    const parts = [[visible, "waiting"], [in_flight, "in flight"], [delayed, "delayed"]].filter(([value]) => value);
    if (!parts.length) return "empty";
    const oldest = !("oldest_s" in counts) ? [] : [counts.oldest_s === null ? "age unknown" : `oldest ${age(counts.oldest_s)}`];
    return [...parts.map(([value, name]) => `${count(value)} ${name}`), ...oldest].join(", ");
  }
  const shown = Object.entries(counts).filter(([name, value]) => value || name !== "archives");
  return shown.map(([name, value]) => `${count(value)} ${value === 1 ? ONE[name] : name}`).join(", ");
}

export const held = ({ counts }) => (counts.visible ?? 0) + (counts.in_flight ?? 0) + (counts.delayed ?? 0);

// JSON indented; any other text as it is.
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export const commands = (lines) => lines.filter(Boolean).map((line) => copyable(line));

export const way = ({ source_name, target_name }) => (target_name ? `from ${source_name} to ${target_name}` : `of ${source_name}`);

// The command that fixes a problem, folded: it has a whole policy in it.
export const fixing = (command) => (command ? el("details", {}, el("summary", {}, "The command that allows it"), copyable(command)) : null);

export const failed = (place, error) => place.replaceChildren(el("p", { class: "bad-text" }, error.message));

// Journal entries as a table, newest first as they come.
export function entriesTable(entries, { time, details, onMessage }) {
  const head = el("tr", {}, ...["time (UTC)", "where", "what", "message"].map((name) => el("th", { scope: "col" }, name)));
  const rows = entries.map((entry) => {
    const found = details(entry.details);
    const id = entry.message_id;
    const message = !id ? "" : onMessage
      ? el("button", { type: "button", class: "chip", "aria-label": `Why did message ${id} not arrive?`, onclick: () => onMessage(id) }, id.slice(0, 8)) : id.slice(0, 8);
    return el("tr", { class: entry.tone, "data-number": entry.number }, el("td", {}, time(entry.at_s)), el("td", {}, entry.who),
      el("td", {}, entry.title, found.length ? el("div", { class: "details" }, ...found) : null), el("td", {}, message));
  });
  return el("div", { class: "entries", tabindex: 0, role: "region", "aria-label": "Journal entries" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
