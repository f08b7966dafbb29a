// Sparklines: what a queue held over the last five minutes, and how long order-api took to answer.

const WINDOW_S = 300;
const SHORTEST_S = 120; // a board that was just opened draws its few points over so long

export class History {
  constructor() {
    this.points = [];
  }

  add(point) {
    this.points.push(point);
    while (this.points[0].at_s < point.at_s - WINDOW_S) this.points.shift();
  }

  see(seen) {
    const held = Object.entries(seen.queues).map(([key, each]) => [key, each.waiting + each.in_flight + each.delayed]);
    this.add({ at_s: seen.at_s, api_ms: seen.api_ms, ...Object.fromEntries(held) });
  }

  // Paths of a line and its filled area, the newest point at the right edge, and the highest value, which is no lower
  // drawn than `least` would be: noise shall look like noise.
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
