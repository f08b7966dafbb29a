// The call: what a knob would do while it is pointed at, and what the last one did. Always of one height.

import { copyable, el } from "./dom.js";

export class Call {
  constructor() {
    this.box = el("div", { class: "call", tabindex: 0, role: "region", "aria-label": "The call that a knob makes" });
    this.element = el("div", { class: "call-group" }, el("h2", {}, "The call"), this.box);
    this.last = [el("p", { class: "note" }, "Point at a knob to see the command that does the same. What you press stays here, to copy.")];
    this.settle();
  }

  preview(name, knob) {
    if (!knob?.command && !knob?.reason) return;
    this.box.replaceChildren(el("p", {}, el("b", {}, name), knob.reason ? ` cannot be used now. ${knob.reason}` : " would run:"),
      ...(knob.command ? [copyable(knob.command)] : []));
  }

  done(said, command) {
    this.last = [el("p", {}, said), copyable(command)];
    this.settle();
  }

  settle() {
    this.box.replaceChildren(...this.last);
  }
}
