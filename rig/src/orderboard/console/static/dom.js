// Elements and texts that several parts of the page share. Text is set as text only, never as HTML.

const SVG = "http://www.w3.org/2000/svg";
export const QUEUES = ["work", "express", "alerts", "inbox", "undelivered"];
export const QUEUE_NOTES = {
  work: "Orders, until a worker makes them.",
  express: "Express orders and all cancellations, until a worker handles them.",
  alerts: "Events that a rule chose. The notifier, a Lambda function, announces them.",
  inbox: "Announcements, for you to peek at: nothing in this system reads them, so they stay.",
  undelivered: "Messages that SNS or a rule could not deliver to their queue. Redrive sends each one to it.",
};
export const ALL_QUEUES = QUEUES.flatMap((name) => (name === "undelivered" ? [name] : [name, `${name}-dlq`]));

export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const select = (id, label, values, texts = {}) =>
  el("select", { id, "aria-label": label }, ...values.map((value) => el("option", { value }, texts[value] ?? String(value))));

// Name and value pairs below a line of the timeline, the journal or a message.
export const details = (values) => Object.entries(values).map(([name, value]) => el("span", {}, el("b", {}, name), ` ${value}`));

export const held = (queue) => queue.waiting + queue.in_flight + queue.delayed;

export const count = (value) => (value === null || value === undefined ? "unknown" : value.toLocaleString("en"));

export const time = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 23);

export const rate = (value) => {
  if (value === null || value === undefined) return "";
  if (value < 0.05) return "0/s";
  return value < 1000 ? `${value < 10 ? value.toFixed(1) : Math.round(value)}/s` : `${(value / 1000).toFixed(1)}k/s`;
};

export function age(seconds) {
  if (seconds === null || seconds === undefined) return "unknown";
  if (seconds < 1) return `${Math.round(Math.max(0, seconds) * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function apiState({ api_ms, api_ready }) {
  return api_ms === null ? { true: "ready", false: "not ready" }[api_ready] ?? "unknown" : `answers in ${api_ms.toFixed(0)} ms`;
}

export function notifierState(mapping) {
  return mapping === null ? "state unknown" : mapping.startsWith("Disabl") ? "paused" : "running";
}

export const post = (path, body) =>
  answer(fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));

export const get = (path) => answer(fetch(path));

async function answer(request) {
  const response = await request.catch(() => { throw new Error("The console does not answer."); });
  const document = await response.json().catch(() => ({ message: `The console answered ${response.status}. See its log.` }));
  if (!response.ok) throw new Error(document.message);
  return document;
}

export function copyable(command) {
  const button = el("button", { type: "button", class: "quiet copy", title: "Copy the command" }, "copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    button.textContent = "copied";
    setTimeout(() => (button.textContent = "copy"), 1500);
  });
  return el("span", { class: "command" }, el("code", {}, command), button);
}
