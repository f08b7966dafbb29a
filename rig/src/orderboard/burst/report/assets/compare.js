// Builds the page of a comparison: A, the reference, in blue, and B in orange, over each other.
"use strict";

const { comparison, sides } = embedded();
const SIDES = [["A", comparison.before, "accepted"], ["B", comparison.after, "work"]];
const times = (ratio) => (ratio === null ? "from 0" : ratio < 1000 ? `${ratio.toFixed(ratio < 10 ? 2 : 1)}×` : "over 1,000×");
const LIMIT = Math.log(4); // the bars of ratios end at a quarter and at four times

function heading() {
  const side = ([letter, { name, runs }, shade]) => {
    const mark = element("b", { class: `side ${shade}` }, letter);
    const of = runs.length > 1 ? `${name}, ${plural(runs.length, "run")}` : runs[0];
    return element("p", { class: "about" }, mark, ` ${of}`);
  };
  return element("header", {}, element("h1", {}, "Bursts compared"), ...SIDES.map(side));
}

function warnings() {
  const kinds = {
    plan: ["another plan", "bad-text"],
    machine: ["another machine", "bad-text"],
    doubt: ["in doubt", "bad-text"],
    version: ["another version", "soft"],
  };
  const found = Object.entries(kinds).map(([kind, [title, style]]) => [title, style, comparison.differences.filter((each) => each.kind === kind)]);
  const rows = found.flatMap(([title, style, of]) => of.map(({ text }) => [{ text: title, class: style }, { text, class: "text" }]));
  if (!rows.length) return element("section", { class: "card verdict good" }, element("span", { class: "mark", "aria-hidden": "true" }, "✓"),
    element("strong", {}, "Comparable."), element("p", {}, "The same plan on the same machine with the same versions."));
  return card(comparison.comparable ? "Comparable, but for" : "Not comparable as they are", "", table([], rows));
}

/** A ratio as a dot, and its interval as a bar around it, on a logarithmic scale with 1 in the middle. */
function bar(ratio, low, high) {
  const place = (value) => `${50 + (50 * Math.max(-LIMIT, Math.min(LIMIT, Math.log(value)))) / LIMIT}%`;
  const made = element("div", { class: "ratio", "aria-hidden": "true" }, element("i", { class: "one" }));
  if (!(ratio > 0)) return made;
  if (low !== null) {
    const range = made.appendChild(element("i", { class: low > 1 || high < 1 ? "range differs" : "range" }));
    range.style.left = place(low);
    range.style.right = `calc(100% - ${place(high)})`;
  }
  made.appendChild(element("i", { class: "dot" })).style.left = place(ratio);
  return made;
}

function figuresCard() {
  const shown = comparison.figures.filter((each) => [...each.before, ...each.after].some((value) => value !== 0));
  const single = shown.every((each) => each.low === null);
  const format = (name, value) => (value === null ? "–" : name.endsWith("_ms") ? duration(value) : plain(value, value < 10 ? 4 : 1));
  const within = (found) => number(found ? `${duration(found.low_ms)} to ${duration(found.high_ms)}` : "");
  const differs = ({ low, high }) => low !== null && (low > 1 || high < 1);
  const rows = shown.map((each) => [
    each.name,
    number(times(each.ratio), differs(each) ? "strong" : ""),
    ...(single ? [] : [number(each.low === null ? "" : `${times(each.low)} to ${times(each.high)}`), bar(each.ratio, each.low, each.high)]),
    number(format(each.name, each.before_mean)),
    ...(single ? [within(each.before_within)] : []),
    number(format(each.name, each.after_mean)),
    ...(single ? [within(each.after_within)] : []),
  ]);
  const head = single
    ? ["", number("B / A"), number("A"), number("within run A"), number("B"), number("within run B")]
    : ["", number("B / A"), number("95 % interval"), "¼ to 4 times", number("A"), number("B")];
  return card("Figures", comparison.method, table(head, rows));
}

function timeCharts() {
  const seconds_ = sides.map((side) => side.timeline.at_s);
  const xs = seconds_[0].length > seconds_[1].length ? seconds_[0] : seconds_[1];
  const filled = (values) => xs.map((_, at) => values[at] ?? null);
  const longest = Math.max(...sides.map((side) => side.load_s));
  const common = {
    marks: timeMarks(() => longest, []),
    sync: "time",
    xFormat: (value) => (value === null ? "" : `${plain(value, 1)} s`),
    cursorText: (value) => `second ${plain(value)}`,
  };
  const both = (columns) => SIDES.flatMap(([letter, , shade], at) => columns.map(([name, column, extra]) => ({
    name: `${letter} ${name}`, colour: shade, values: filled(sides[at].timeline[column]), ...extra,
  })));
  const thin = { dashed: true, width: 1.5 };
  const counts = { ...common, unit: (value) => plain(value) };
  const latencies = { ...common, log: true, unit: duration };
  const waiting = SIDES.map(([letter, , shade], at) => {
    const { work_visible: work, express_visible: express } = sides[at].timeline;
    return { name: `${letter} waiting`, colour: shade, values: filled(work.map((value, second) => (value === null ? null : value + (express[second] ?? 0)))) };
  });
  const median = comparison.before.runs.length + comparison.after.runs.length > 2 ? "Of repeated runs, the median of each second. " : "";
  return [
    ["Orders a second", `${median}Accepted, and finished (dashed).`, both([["accepted", "accepted"], ["finished", "finished", thin]]), counts],
    ["Orders waiting in the queues", "In work and express.", waiting, counts],
    ["Accept latency, p99", "", both([["p99", "accept_p99_ms"]]), latencies],
    ["End-to-end latency, p99", "", both([["p99", "end_to_end_p99_ms"]]), latencies],
  ].map(([title, description, series, options]) => chartCard(title, description, xs, series, options));
}

/** A card with a chart, and the function that draws it; null if nothing is known. */
function chartCard(title, description, xs, series, options) {
  if (!hasValues(series)) return null;
  const made = card(title, description);
  return { made, draw: () => lineChart(made, xs, series, options) };
}

function curveChart(title, key) {
  const place = ([percentile, ms]) => [percentile >= 100 ? null : 1 / (1 - percentile / 100), ms];
  const points = sides.map((side) => side.curves[key].map(place).filter(([x]) => x !== null));
  const [xs, ...values] = uPlot.join(points.map((each) => [each.map(([x]) => x), each.map(([, ms]) => ms)]));
  const percent = (x) => `${plain(100 - 100 / x, 4)} %`;
  const series = SIDES.map(([letter, , shade], at) => ({ name: letter, colour: shade, values: values[at].map((value) => value ?? null) }));
  return chartCard(title, "All orders; of repeated runs, the median. The axis stretches towards 100 %.", xs, series, {
    log: true, logX: true, spanGaps: true, points: false, unit: duration, height: 260,
    xFormat: (x) => (x === null ? "" : percent(x)), cursorText: percent,
  });
}

function build() {
  const [rates, queues, accept, whole] = timeCharts();
  const curves = [curveChart("Accept latency by percentile", "accept"), curveChart("End-to-end latency by percentile", "end_to_end")];
  const known = (...found) => found.filter(Boolean);
  const pair = (...found) => element("div", { class: "pair" }, ...known(...found).map(({ made }) => made));
  const commands = SIDES.map(([letter], at) => [letter, element("code", {}, sides[at].command)]);
  document.getElementById("report").append(
    heading(), warnings(), figuresCard(), ...known(rates, queues).map(({ made }) => made), pair(accept, whole), pair(...curves),
    card("Commands", "", definitions(commands)),
    element("footer", {}, "Made by orderboard compare. This page needs no network."),
  );
  for (const { draw } of known(rates, queues, accept, whole, ...curves)) draw();
  fitToWindow();
}

build();
