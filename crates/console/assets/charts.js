// Draws what the server sends: {at: [seconds], charts: [{id, unit, is_stepped, lines: [{name, values}]}]},
// each chart into the figure "chart-<id>" of the page.
"use strict";
const charts = (function () {
  const height = 180;
  const minutes = 10 * 60;
  const day = 24 * 60 * 60;
  const drawn = new Map();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // In UTC, as everywhere in the console.
  const moment = (seconds) => new Date(seconds * 1000).toISOString().replace("T", " ");
  const times = (_, splits) => {
    const length = splits[splits.length - 1] - splits[0];
    const [from, to] = length > day ? [5, 16] : length > minutes ? [11, 16] : [11, 19];
    return splits.map((at) => moment(at).slice(from, to));
  };
  const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 2 });
  const short = (value) => value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 2 });

  function axis(more) {
    const [soft, line] = [colour("--soft"), colour("--line")];
    return { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, ...more };
  }

  function options(chart, width) {
    const paths = chart.is_stepped ? uPlot.paths.stepped({ align: 1 }) : undefined;
    const line = ({ name }, at) => ({
      label: name, stroke: colour("--line-" + (at + 1)), width: 1.5, paths,
      points: { fill: colour("--raised") },
      value: (_, value) => (value == null ? "–" : number(value) + " " + chart.unit),
    });
    return {
      width, height,
      scales: { y: { range: (_, low, high) => [Math.min(low ?? 0, 0), Math.max(high ?? 0, 0) * 1.05 || 1] } },
      axes: [axis({ values: times, space: 72 }), axis({ values: (_, splits) => splits.map(short), size: 56 })],
      series: [{ label: "UTC", value: (_, at) => (at == null ? "–" : moment(at).slice(0, 19)) }, ...chart.lines.map(line)],
    };
  }

  function draw(figure, at, chart) {
    const box = figure.querySelector(".plot");
    const known = drawn.get(figure);
    const data = [at, ...chart.lines.map((line) => line.values)];
    if (known) {
      known.at = at;
      known.chart = chart;
      known.plot.setData(data);
      return;
    }
    const plot = new uPlot(options(chart, box.clientWidth), data, box);
    drawn.set(figure, { at, chart, plot });
    widths.observe(box);
  }

  const widths = new ResizeObserver((boxes) => {
    for (const { target } of boxes) {
      const known = drawn.get(target.closest("figure"));
      if (known && target.clientWidth > 0 && known.plot.width !== target.clientWidth) {
        known.plot.setSize({ width: target.clientWidth, height });
      }
    }
  });

  // Other colours: drawn anew.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const [figure, { at, chart, plot }] of [...drawn]) {
      plot.destroy();
      drawn.delete(figure);
      draw(figure, at, chart);
    }
  });

  function show({ at, charts }) {
    for (const chart of charts) {
      const figure = document.getElementById("chart-" + chart.id);
      if (figure) draw(figure, at, chart);
    }
  }

  async function load(url) {
    const answer = await fetch(url, { cache: "no-store" });
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  }

  // A figure that says where its lines are is drawn by itself.
  for (const figure of document.querySelectorAll("figure[data-from]")) {
    load(figure.dataset.from).then(show, () => { figure.hidden = true; });
  }

  return { show, load };
})();
