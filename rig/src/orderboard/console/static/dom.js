// Makes elements. Text goes in as text only, never as HTML, whatever an order says.

const SVG = "http://www.w3.org/2000/svg";

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

export const count = (value) => (value === null || value === undefined ? "unknown" : value.toLocaleString("en"));

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

export const post = (path, body) =>
  said(fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));

export const get = (path) => said(fetch(path));

async function said(asked) {
  const answer = await asked.catch(() => { throw new Error("The console does not answer."); });
  const document = await answer.json().catch(() => ({ said: `The console answered ${answer.status}; its log has more.` }));
  if (!answer.ok) throw new Error(document.said);
  return document;
}

let hiding;
export function toast(said, { command = "", bad = false } = {}) {
  const box = document.getElementById("toast");
  clearTimeout(hiding);
  box.className = bad ? "toast bad" : "toast";
  box.replaceChildren(el("p", {}, said), ...(command ? [copyable(command)] : []));
  box.hidden = false;
  hiding = setTimeout(() => (box.hidden = true), bad ? 9000 : 5000);
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
