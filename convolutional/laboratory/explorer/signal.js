/* signal.js - what an activation makes of normally distributed numbers: a histogram with mean, deviation and share of zeros each. */
"use strict";

const Signal = (() => {
  const { byId, make, datum, number } = Elements;
  const POINTS = 4001, BINS = 40, REACH = 6;
  let figures = [], key = "";

  /* Inputs at equal steps and how much of the distribution each stands for. */
  function inputs(mean, deviation) {
    const rows = [];
    let total = 0;
    for (let i = 0; i < POINTS; i++) {
      const z = -REACH + 2 * REACH * i / (POINTS - 1), weight = Math.exp(-z * z / 2);
      rows.push({ x: mean + deviation * z, weight });
      total += weight;
    }
    return rows.map((row) => ({ x: row.x, weight: row.weight / total }));
  }

  function outputs(row, rows) {
    const ys = rows.map((point) => row.value(point.x)), sum = (of) => ys.reduce((total, y, i) => total + rows[i].weight * of(y), 0);
    const mean = sum((y) => y.value), least = Math.min(...ys.map((y) => y.value)), most = Math.max(...ys.map((y) => y.value));
    return { ys, mean, least, most, deviation: Math.sqrt(sum((y) => (y.value - mean) ** 2)), flat: sum((y) => (Math.abs(y.slope) < 0.01 ? 1 : 0)) };
  }

  function bars(out, rows) {
    const from = Math.max(out.least, out.mean - 4 * out.deviation - 0.1), to = Math.min(out.most, out.mean + 4 * out.deviation + 0.1) + 1e-9;
    const width = (to - from) / BINS || 1, heights = new Array(BINS).fill(0);
    out.ys.forEach((y, i) => {
      const bin = Math.floor((y.value - from) / width);
      if (bin >= 0 && bin < BINS)
        heights[bin] += 100 * rows[i].weight;
    });
    return heights.map((height, k) => [from + k * width, from + (k + 1) * width, height]);
  }

  /* A figure each; they are kept while the same ones are chosen. */
  function build(chosen) {
    byId("histograms").replaceChildren();
    figures = chosen.map((row) => {
      const id = `histogram-${row.name.replace(/ /g, "-")}`, box = make("div", { className: "chart small", id }), said = make("p", { className: "said" });
      byId("histograms").append(make("figure", {}, make("figcaption", {}, Plot.swatch(row.style), " ", row.name), box, said));
      return { row, said, plot: Plot.create(box, { label: `What ${row.name} gives out`, x: { label: "f(x)" }, y: { label: "% of units" } }) };
    });
  }

  function draw() {
    const chosen = Catalogue.chosen(), wanted = chosen.map((row) => `${row.name}${row.style}`).join(" ");
    if (wanted !== key)
      build(chosen);
    key = wanted;
    const rows = inputs(Number(byId("mean").value), Number(byId("deviation").value));
    for (const { row, said, plot } of figures) {
      const out = outputs(Catalogue.find(row.name) || row, rows), found = bars(out, rows), high = Math.max(...found.map((bar) => bar[2]));
      plot.draw({ series: [{ name: row.name, style: row.style, points: [], bars: found }], x: { from: found[0][0], to: found[BINS - 1][1] },
                  y: { from: 0, to: high * 1.05 || 1 } });
      said.replaceChildren("mean ", datum(out.mean, 3), ", standard deviation ", datum(out.deviation, 3), `, slope below 0.01 for ${number(100 * out.flat, 3)}%`);
    }
  }

  function start() {
    for (const id of ["mean", "deviation"])
      byId(id).addEventListener("input", () => {
        byId(`${id}-shown`).textContent = number(Number(byId(id).value), 3);
        draw();
      });
    Catalogue.onChange(draw);
    draw();
  }

  return { start };
})();
