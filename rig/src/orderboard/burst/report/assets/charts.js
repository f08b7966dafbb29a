// The charts, drawn by uPlot. Colours come from the style sheet, which has both schemes.
"use strict";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const plain = (value, digits = 0) => (value === null ? "–" : value.toLocaleString("en", { maximumFractionDigits: digits }));

function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms >= 1000) return `${plain(ms / 1000, ms >= 10000 ? 1 : 2)} s`;
  return `${plain(ms, ms >= 100 ? 0 : ms >= 10 ? 1 : 2)} ms`;
}

const TICK_FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, Inter, sans-serif";
const charts = [];

/** The range of a logarithmic axis: it ends at 1, 2 or 5 times a power of ten, so that little of it is empty. */
function logRange(_chart, low, high) {
  if (!(high > 0)) return [1, 10];
  const snap = (value, up) => {
    const power = 10 ** Math.floor(Math.log10(value));
    const steps = [1, 2, 5, 10].map((step) => step * power);
    return up ? steps.find((step) => step >= value * 0.999) : steps.reverse().find((step) => step <= value * 1.001);
  };
  const from = snap(low, false);
  return [from, Math.max(snap(high, true), from * 5)];
}

/** Marks behind the lines: the drain, and the events of the system. drainFrom: returns its second. */
function timeMarks(drainFrom, faults) {
  return {
    hooks: {
      drawClear: (chart) => {
        const { ctx, bbox } = chart;
        const left = Math.max(chart.valToPos(drainFrom(), "x", true), bbox.left);
        const right = bbox.left + bbox.width;
        if (left >= right) return;
        ctx.save();
        ctx.fillStyle = colour("drain");
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
        if (right - left > 60 * devicePixelRatio) {
          ctx.fillStyle = colour("faint");
          ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
          ctx.textAlign = "right";
          ctx.textBaseline = "top";
          ctx.fillText("drain", right - 6 * devicePixelRatio, bbox.top + 5 * devicePixelRatio);
        }
        ctx.restore();
      },
      draw: (chart) => {
        const { ctx, bbox } = chart;
        const size = devicePixelRatio;
        ctx.save();
        let free = bbox.left - 8 * size; // the next free place, so that no number hides another
        faults.forEach((fault, number) => {
          const x = Math.round(chart.valToPos(fault.at_s, "x", true));
          if (x < bbox.left || x > bbox.left + bbox.width) return;
          ctx.strokeStyle = colour("bad");
          ctx.lineWidth = size;
          ctx.setLineDash([4 * size, 3 * size]);
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          ctx.setLineDash([]);
          ctx.fillStyle = colour("bad");
          ctx.beginPath();
          const numberX = Math.max(x, free);
          free = numberX + 17 * size;
          ctx.arc(numberX, bbox.top - 9 * size, 8 * size, 0, 2 * Math.PI);
          ctx.fill();
          ctx.fillStyle = colour("card");
          ctx.font = `700 ${10.5 * size}px system-ui, sans-serif`;
          ctx.textAlign = "center";
          ctx.textBaseline = "middle";
          ctx.fillText(String(number + 1), numberX, bbox.top - 8.5 * size);
        });
        ctx.restore();
      },
    },
  };
}

const gridLine = { stroke: () => colour("grid"), width: 1 };

function axis(extra) {
  return { stroke: () => colour("soft"), font: TICK_FONT, grid: gridLine, ticks: { show: false }, ...extra };
}

const ticksAt = (digits, splits) => splits.map((value) => (digits.test(Number(value.toPrecision(6)).toExponential()) ? value : null));
const powersOfTen = (_chart, splits) => ticksAt(/^1e/, splits);
/** Ticks at 1, 2 and 5 of each power of ten, or only at 1 where that would be crowded. */
const logTicks = (_chart, splits) => ticksAt(Math.log10(splits.at(-1) / splits[0]) > 2.6 ? /^1e/ : /^[125]e/, splits);

const hasValues = (series) => series.some((each) => each.values.some((value) => value !== null));

/**
 * Draw lines into a card, and return a function that draws them again after their values have changed.
 * series: {name, colour, values, format, dashed, fill, width}; xs: numbers.
 * options: {unit, xFormat, cursorText, log, logX, marks, sync, spanGaps, points, height, growing}
 * growing: values are still to come, so that a line without any is kept.
 */
function lineChart(card, xs, series, options) {
  const shown = series.filter((each) => options.growing || hasValues([each]));
  const holder = card.appendChild(element("div", { class: "chart" }));
  const legend = card.appendChild(element("div", { class: "legend" }));
  const data = () => [xs, ...shown.map((each) => (options.log ? each.values.map((v) => (v > 0 ? v : null)) : each.values))];
  const height = () => (window.innerWidth < 560 ? 210 : options.height || 260);
  const chart = new uPlot(
    {
      width: holder.clientWidth || 600,
      height: height(),
      padding: [options.marks ? 18 : 10, options.logX ? 34 : 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false }, sync: options.sync ? { key: options.sync } : undefined },
      scales: {
        x: { time: false, ...(options.logX ? { distr: 3, log: 10 } : {}) },
        y: options.log ? { distr: 3, log: 10, range: logRange } : { range: (_c, _l, high) => [0, high > 0 ? high * 1.06 : 1] },
      },
      axes: [
        axis({
          size: 30,
          gap: 6,
          space: 60,
          values: (_c, splits) => splits.map(options.xFormat),
          ...(options.logX ? { filter: powersOfTen, grid: { ...gridLine, filter: powersOfTen } } : {}),
        }),
        axis({
          size: 58,
          gap: 6,
          space: 34,
          values: (_c, splits) => splits.map((value) => (value === null ? "" : options.unit(value))),
          ...(options.log ? { filter: logTicks, grid: { ...gridLine, filter: logTicks } } : {}),
        }),
      ],
      series: [
        {},
        ...shown.map((each) => ({
          label: each.name,
          stroke: () => colour(each.colour),
          width: each.width || 2,
          dash: each.dashed ? [5, 4] : undefined,
          fill: each.fill ? () => `color-mix(in srgb, ${colour(each.colour)} 13%, transparent)` : undefined,
          spanGaps: Boolean(options.spanGaps),
          points: { show: options.points, size: 4 },
        })),
      ],
      plugins: options.marks ? [options.marks] : [],
      hooks: { setCursor: [(drawn) => showValues(drawn)] },
    },
    data(),
    holder,
  );

  const values = shown.map((each, number) => {
    const value = element("b", {});
    const swatch = element("i", { class: each.dashed ? "dashed" : "" });
    swatch.style.borderColor = `var(--${each.colour})`;
    const button = element("button", { type: "button", "aria-pressed": "true" }, swatch, each.name, value);
    button.addEventListener("click", () => {
      const show = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(show));
      chart.setSeries(number + 1, { show });
    });
    legend.append(button);
    return value;
  });
  const at = legend.appendChild(element("span", { class: "at" }));

  function showValues(drawn) {
    const index = drawn.cursor.left >= 0 ? (drawn.cursor.idx ?? null) : null;
    at.textContent = index === null ? "" : options.cursorText(xs[index]);
    values.forEach((value, number) => {
      const found = index === null ? null : shown[number].values[index];
      value.textContent = index === null ? "" : found === null ? "–" : options.unit(found);
    });
  }
  charts.push({ chart, holder, height });
  return () => chart.setData(data());
}

/** Follow the window's width and the colour scheme. */
function fitToWindow() {
  const fit = () => charts.forEach(({ chart, holder, height }) => chart.setSize({ width: holder.clientWidth, height: height() }));
  let waiting = 0;
  window.addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(fit);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach(({ chart }) => chart.redraw(false, true)));
  fit();
}
