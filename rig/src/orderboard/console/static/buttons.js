// The buttons of knobs. One that cannot be turned can still be reached, so that it can say why.

import { el, toast } from "./dom.js";

export class Buttons {
  constructor(call) {
    this.call = call;
    this.all = new Map();
  }

  // worded: puts into the knob's command what this button would send, where a knob has several.
  make(name, text, act, kind = "", worded = undefined) {
    const button = el("button", { type: "button", class: kind, "data-knob": name }, text);
    this.add(name, button, worded);
    button.addEventListener("click", () => {
      const reason = button.getAttribute("aria-disabled") === "true" ? button.title : "";
      if (reason) toast(reason);
      else act();
    });
    return button;
  }

  // Any control that stands for a knob: it is greyed with the reason, and shows its command when it is pointed at.
  add(name, control, worded = (command) => command) {
    this.all.set(name, [...(this.all.get(name) ?? []), control]);
    for (const event of ["pointerenter", "focus"]) {
      control.addEventListener(event, () => {
        const knob = this.knobs?.[name];
        const text = control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent;
        this.call.preview(text, knob && { ...knob, command: worded(knob.command) });
      });
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
