// Buttons: an unavailable one stays focusable and explains why; a control that is hovered or focused shows its command.

import { el } from "./dom.js";

export class Buttons {
  constructor(effects) {
    this.effects = effects;
    this.all = new Map();
  }

  // fill: puts this button's own values into the command, for a control with several buttons.
  make(name, text, act, kind = "", fill = undefined) {
    const button = el("button", { type: "button", class: kind, "data-control": name }, text);
    this.add(name, button, fill);
    button.addEventListener("click", () => {
      const reason = button.getAttribute("aria-disabled") === "true" ? button.title : "";
      if (reason) this.effects.tell(reason);
      else act();
    });
    return button;
  }

  add(name, element, fill = (command) => command) {
    this.all.set(name, [...(this.all.get(name) ?? []), element]);
    for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => this.#preview(name, element, fill));
    for (const event of ["pointerleave", "blur"]) element.addEventListener(event, () => this.effects.showLast());
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

  #preview(name, element, fill) {
    const control = this.controls?.[name];
    if (!control) return;
    const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    this.effects.preview(label, name, { command: control.command ? fill(control.command) : "", reason: control.reason });
  }
}
