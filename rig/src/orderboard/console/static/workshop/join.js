// The wall: joining it by its address, and leaving it.

import { el, post } from "../dom.js";

export class Join {
  // changed is called after each action.
  constructor(place, changed) {
    this.changed = changed;
    this.on = el("p", { class: "note" });
    this.name = el("input", { required: true, maxlength: 40, autocomplete: "off" });
    this.url = el("input", { required: true, type: "url", placeholder: "the wall's address, with its token", autocomplete: "off" });
    this.sent = el("p", { class: "note" });
    this.result = el("p", { class: "result", role: "status" });
    this.form = el("form", { onsubmit: (event) => { event.preventDefault(); this.#do("join", { name: this.name.value, wall: this.url.value }); } },
      el("label", {}, "Your name", this.name), el("label", {}, "The address that the wall prints", this.url), this.sent,
      el("button", {}, "Join"));
    this.closed = el("details", {}, el("summary", {}, "Join the wall"), this.form);
    this.leave = el("button", { type: "button", class: "quiet", onclick: () => this.#do("leave", {}) }, "Leave the wall");
    place.append(this.on, this.closed, this.leave, this.result);
  }

  show(wall, sent) {
    this.on.textContent = wall ? `You are on the wall at ${wall.url} as ${wall.name}. It gets ${sent}.` : "";
    this.sent.textContent = `It gets ${sent}. No code, no texts.`;
    this.closed.hidden = wall !== null;
    this.leave.hidden = wall === null;
  }

  async #do(action, body) {
    this.result.textContent = "…";
    this.result.className = "result working";
    try {
      this.result.textContent = (await post(`/api/workshop/${action}`, body)).done;
      this.result.className = "result";
    } catch ({ message }) {
      this.result.textContent = message;
      this.result.className = "result failed";
    }
    await this.changed();
  }
}
