// Sparklines: what a queue held over the last five minutes.

const WINDOW_S = 300;

export class History {
  constructor() {
    this.points = [];
  }

  add(point) {
    this.points.push(point);
    while (this.points[0].at_s < point.at_s - WINDOW_S) this.points.shift();
  }

  // Paths of a line and its filled area, `width` by `height`, the newest point at the right edge.
  paths(key, width, height) {
    const points = this.points.filter((point) => typeof point[key] === "number");
    if (points.length < 2) return { line: "", area: "", top: 0 };
    const end = points.at(-1).at_s;
    const top = Math.max(4, ...points.map((point) => point[key]));
    const places = points.map((point) => {
      const x = width * (1 - (end - point.at_s) / WINDOW_S);
      return `${x.toFixed(1)} ${(height - (height - 2) * (point[key] / top)).toFixed(1)}`;
    });
    const line = `M${places.join("L")}`;
    const first = places[0].split(" ")[0];
    return { line, area: `${line}L${width} ${height}L${first} ${height}Z`, top };
  }
}
