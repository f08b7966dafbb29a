// Sparklines: messages in a queue, and the response time of order-api, over the last five minutes.

import { held } from "./dom.js";

const WINDOW_S = 300;
const SHORTEST_S = 120; // the width of a page that has just been opened

export class History {
  constructor() {
    this.points = [];
  }

  add(point) {
    this.points.push(point);
    while (this.points[0].at_s < point.at_s - WINDOW_S) this.points.shift();
  }

  addSnapshot({ at_s, api_ms, queues }) {
    this.add({ at_s, api_ms, ...Object.fromEntries(Object.entries(queues).map(([key, queue]) => [key, held(queue)])) });
  }

  // Paths of the line and the area below it, with the newest point at the right edge, and the highest value. The scale
  // ends at `least` or higher, so that noise looks like noise.
  paths(key, { width, height, least = 4 }) {
    const points = this.points.filter((point) => typeof point[key] === "number");
    if (points.length < 2) return { line: "", area: "", top: 0 };
    const end = this.points.at(-1).at_s;
    const window = Math.max(SHORTEST_S, end - this.points[0].at_s);
    const top = points.reduce((most, point) => Math.max(most, point[key]), 0);
    const places = points.map((point) => {
      const x = width * (1 - (end - point.at_s) / window);
      return `${x.toFixed(1)} ${(height - (height - 2) * (point[key] / Math.max(least, top))).toFixed(1)}`;
    });
    const line = `M${places.join("L")}`;
    const [first, last] = [places[0], places.at(-1)].map((place) => place.split(" ")[0]);
    return { line, area: `${line}L${last} ${height}L${first} ${height}Z`, top };
  }
}
