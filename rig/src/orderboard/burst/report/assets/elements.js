// Parts of pages: elements whose texts are inserted as text, never as markup, and the page's embedded document.
"use strict";

const embedded = () => JSON.parse(document.getElementById("data").textContent);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== "") made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const about = (...text) => element("p", { class: "about" }, ...text);
const card = (title, description, ...children) =>
  element("section", { class: "card" }, element("h2", {}, title), description ? about(description) : null, ...children);
const seconds = (value) => `${plain(value, value < 10 ? 1 : 0)} s`;
const plural = (count, one) => `${plain(count)} ${one}${count === 1 ? "" : "s"}`;
const memory = (megabytes) => `${plain(megabytes)} MB`;
const listed = (pairs) => pairs.filter(([count]) => count > 0).map(([count, what]) => `${plain(count)} ${what}`).join(", ");
const number = (text, kind = "") => ({ text, class: `number ${kind}` });
const count = (value) => number(plain(value));
const soft = (text) => ({ text, class: "soft" });

const workersOf = ({ worker, workers }) => worker === "lambda" ? "a worker function" : plural(workers, "worker");
/** The load of a burst in words. Of clients without an end, the length and the rate are known afterwards. */
const planOf = ({ profile, duration_s, rate }) =>
  [duration_s ? `${profile} over ${seconds(duration_s)}` : profile, rate ? `${plain(rate, 1)} a second on average` : ""].filter(Boolean).join(", ");

/** A text whose options, such as --rate, are not broken at their dashes. */
const withOptions = (text) => text.split(/(--[a-z-]+)/).map((part) => (part.startsWith("--") ? element("span", { class: "unbroken" }, part) : part));

const labels = ({ tags, note }) => [...tags.map((tag) => element("span", { class: "tag" }, tag)), note];

function table(head, rows) {
  const cell = (name, value) => {
    if (value instanceof Node) return element(name, {}, value);
    const { text, class: kind } = typeof value === "object" && value !== null ? value : { text: value, class: "" };
    return element(name, { class: kind }, String(text));
  };
  const body = rows.map((row) => element("tr", {}, ...row.map((value, column) => cell(column ? "td" : "th", value))));
  const top = head.length ? [element("thead", {}, element("tr", {}, ...head.map((value) => cell("th", value))))] : [];
  return element("div", { class: "scroll" }, element("table", {}, ...top, element("tbody", {}, ...body)));
}

const definitions = (pairs) =>
  element("dl", {}, ...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
