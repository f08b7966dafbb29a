// The progress, read again and again: the command line may work on the same exercise. A page in the background waits.

import { get } from "../dom.js";

const EVERY_MS = 1000;

export class Progress {
  // show gets each progress that differs from the one before; trouble gets the error of a read, and null after a good one.
  constructor(show, trouble) {
    Object.assign(this, { show, trouble });
    document.addEventListener("visibilitychange", () => this.read());
    this.read();
  }

  async read() {
    clearTimeout(this.timer);
    const turn = (this.turn = {});
    try {
      const found = await get("/api/workshop");
      if (turn !== this.turn) return; // a later read has begun
      this.trouble(null);
      const text = JSON.stringify(found);
      if (text !== this.text) this.show(found);
      this.text = text;
    } catch (error) {
      this.trouble(error.message);
    }
    if (turn === this.turn && !document.hidden) this.timer = setTimeout(() => this.read(), EVERY_MS);
  }
}
