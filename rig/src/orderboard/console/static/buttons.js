// The buttons of knobs. One that cannot be turned can still be reached, so that it can say why.

import { el, toast } from "./dom.js";

export class Buttons {
  constructor(call) {
    this.call = call;
    this.all = new Map();
  }

  make(name, text, act, kind = "") {
    const button = el("button", { type: "button", class: kind, "data-knob": name }, text);
    this.add(name, button);
    button.addEventListener("click", () => {
      const reason = button.getAttribute("aria-disabled") === "true" ? button.title : "";
      if (reason) toast(reason);
      else act();
    });
    return button;
  }

  // Any control that stands for a knob: it is greyed with the reason, and shows its command when it is pointed at.
  add(name, control) {
    this.all.set(name, [...(this.all.get(name) ?? []), control]);
    for (const event of ["pointerenter", "focus"]) {
      control.addEventListener(event, () => this.call.preview(control.getAttribute("aria-label") ?? control.textContent, this.knobs?.[name]));
    }
    for (const event of ["pointerleave", "blur"]) control.addEventListener(event, () => this.call.settle());
  }

  update(knobs) {
    this.knobs = knobs;
    for (const [name, made] of this.all) {
      const controls = made.filter((each) => each.isConnected); // those of a worker are made anew
      this.all.set(name, controls);
      const reason = knobs[name]?.reason ?? "";
      for (const control of controls) {
        control.title = reason;
        if (control instanceof HTMLButtonElement) control.setAttribute("aria-disabled", String(Boolean(reason)));
        else control.disabled = Boolean(reason);
      }
    }
  }
}
