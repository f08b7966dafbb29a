// Buttons and the command panel. An unavailable button stays focusable and explains why; a control that is hovered or
// focused shows its command.

import { copyable, el, toast } from "./dom.js";

export class Buttons {
  constructor() {
    this.all = new Map();
    this.panel = el("div", { class: "command-box", tabindex: 0, role: "region", "aria-label": "Command of the control" });
    this.element = el("div", { class: "command-group" }, el("h2", {}, "Command"), this.panel);
    this.last = [el("p", { class: "note" }, "Point at a control to see the shell command with the same effect. The last one you used stays here to copy.")];
    this.#showLast();
  }

  // fill: puts this button's own values into the command, for a control with several buttons.
  make(name, text, act, kind = "", fill = undefined) {
    const button = el("button", { type: "button", class: kind, "data-control": name }, text);
    this.add(name, button, fill);
    button.addEventListener("click", () => {
      const reason = button.getAttribute("aria-disabled") === "true" ? button.title : "";
      if (reason) toast(reason);
      else act();
    });
    return button;
  }

  add(name, element, fill = (command) => command) {
    this.all.set(name, [...(this.all.get(name) ?? []), element]);
    for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => this.#preview(name, element, fill));
    for (const event of ["pointerleave", "blur"]) element.addEventListener(event, () => this.#showLast());
  }

  update(controls) {
    this.controls = controls;
    for (const [name, made] of this.all) {
      const elements = made.filter((each) => each.isConnected); // those of a worker are made again
      this.all.set(name, elements);
      const reason = controls[name]?.reason ?? "";
      for (const element of elements) {
        element.title = reason;
        if (element instanceof HTMLButtonElement) element.setAttribute("aria-disabled", String(Boolean(reason)));
        else element.disabled = Boolean(reason);
      }
    }
  }

  done(message, command) {
    this.last = [el("p", {}, message), copyable(command)];
    this.#showLast();
  }

  #preview(name, element, fill) {
    const control = this.controls?.[name];
    if (!control?.command && !control?.reason) return;
    const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    this.panel.replaceChildren(
      el("p", {}, el("b", {}, label), control.reason ? ` is unavailable. ${control.reason}` : " runs:"),
      ...(control.command ? [copyable(fill(control.command))] : []),
    );
  }

  #showLast() {
    this.panel.replaceChildren(...this.last);
  }
}
