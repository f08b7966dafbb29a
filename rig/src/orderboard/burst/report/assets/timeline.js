// The charts over time of a burst, which ran or runs.
"use strict";

/**
 * Make the cards, and functions that draw them once the cards are in the page; each returns a function that draws again.
 * timeline: values by column, in which `growing` ones may still come. loadEnd: returns its second. faults: {at_s, text}.
 */
function timeCharts(timeline, loadEnd, faults, settings, growing = false) {
  const common = {
    growing,
    marks: timeMarks(loadEnd, faults),
    sync: "time",
    xFormat: (value) => (value === null ? "" : `${plain(value, 1)} s`),
    cursorText: (value) => `second ${plain(value)}`,
  };
  const counts = { ...common, unit: (value) => plain(value) };
  const latencies = { ...common, log: true, unit: duration };
  const thin = { dashed: true, width: 1.5 };
  const line = (name, shade, column, extra = {}) => ({ name, colour: shade, values: timeline[column], ...extra });
  const queue = (name, extra) => [line(name, name, `${name}_visible`, extra), line(`${name} in flight`, name, `${name}_in_flight`, thin)];
  const percentiles = (shade, column) => [line("p99", shade, `${column}_p99_ms`), line("p50", shade, `${column}_p50_ms`, thin)];

  const model = settings.closed
    ? "Closed model: each client waits for its answer, and intends to send an order when it does."
    : "Open loop: orders are sent on time whether or not earlier ones were answered.";
  const rates = card("Orders a second", `Intended, accepted (202) and finished. ${model}`);
  const queues = card("Messages in the queues", "Waiting, and in flight (dashed). SQS's approximate counts, sampled once a second: for the chart, not for the verdict.");
  const accept = card("Accept latency", "From the intended send time to the 202, by the second of the answer.");
  const whole = card("End-to-end latency", "From the intended send time to the outcome event, by the second of the outcome; and the age of the oldest unfinished order.");
  const later = [
    () => lineChart(rates, timeline.at_s, [
      line("intended", "asked", "intended", thin),
      line("accepted", "accepted", "accepted"),
      line("finished", "finished", "finished", { fill: true }),
    ], counts),
    () => lineChart(queues, timeline.at_s, [
      ...queue("work", { fill: true }), ...queue("express", { fill: true }), ...queue("alerts", {}),
      line("dead letters", "ink", "dead_letters", { width: 1.5 }),
    ], counts),
    () => lineChart(accept, timeline.at_s, percentiles("accepted", "accept"), latencies),
    () => lineChart(whole, timeline.at_s, [
      ...percentiles("finished", "end_to_end"),
      line("oldest unfinished", "work", "oldest_age_ms", { width: 1.5 }),
    ], latencies),
  ];
  const cards = [rates, queues, element("div", { class: "pair" }, accept, whole)];
  if (settings.scaling) {
    const workers = card("Workers", `Running, by ${settings.scaling.replaceAll(",", ", ")}: target tracking, as ECS does it. Each change is a mark.`);
    cards.splice(2, 0, workers);
    later.push(() => lineChart(workers, timeline.at_s, [line("workers", "work", "workers", { fill: true })], counts));
  }
  return { cards, later };
}

/** The legend of the numbered marks. */
const faultList = (faults) =>
  element("div", { class: "faults" }, ...faults.map((fault, place) => element("span", {}, element("b", {}, String(place + 1)), `${plain(fault.at_s, 1)} s: ${fault.text}`)));

const inMilliseconds = (seconds_) => (seconds_ === null ? null : seconds_ * 1000);
