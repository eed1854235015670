/* experiments.js - what the program's experiments found: their charts, with a cursor that reads every value, and their tables. */
"use strict";

const Experiments = (() => {
  const { byId, make, number, datum } = Elements;
  let keys = [];

  /* A series has its numbers as texts; its x may be that of the one before. */
  function readSeries(rows) {
    const numbers = (text) => text.split(" ").map(Number);
    let x = [];
    return rows.map((row) => {
      x = row.x === undefined ? x : numbers(row.x);
      const y = numbers(row.y), points = x.map((at, i) => [at, y[i]]);
      return { name: row.name, kind: row.kind, dashed: row.dashed || row.kind === "level", points };
    });
  }

  /* An axis that says where it begins and ends, or only what it is. */
  const axisOf = (axis) => ({ label: axis.label, log: axis.log, ...(axis.from === axis.to ? {} : { from: axis.from, to: axis.to }), ...(axis.names.length ? { names: axis.names } : {}) });

  /* ---- one panel ---- */

  class Panel {
    constructor(experiment, panel, styles, k) {
      const id = `experiment-${experiment.key}-${k}`;
      Object.assign(this, { panel, styles, hidden: new Set(), series: readSeries(panel.series) });
      this.barred = this.series.some((row) => row.kind === "bars");
      this.places = this.series.filter((row) => row.kind !== "level").map((row) => row.points.map((p) => p[0])).sort((a, b) => b.length - a.length)[0] || [0];
      this.cursor = this.places[Math.floor(this.places.length / 4)];
      this.box = make("div", { className: "chart", id });
      this.said = make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": `Values: ${panel.title || panel.y.label}` });
      this.element = make("div", { className: "panel" }, make("figure", {}, ...(panel.title ? [make("figcaption", {}, panel.title)] : []), this.box), this.said);
      this.plot = Plot.create(this.box, { label: `${panel.y.label}, at ${panel.x.label}`, x: axisOf(panel.x), y: axisOf(panel.y),
                                          onCursor: (x) => { this.cursor = this.nearest(x); this.read(); } });
    }

    style(row) { return this.styles.indexOf(row.name); }
    shown() { return this.series.filter((row) => !this.hidden.has(row.name)); }

    nearest(x) {
      const of = (value) => (this.panel.x.log ? Math.log(value) : value);
      const best = this.places.reduce((near, place) => (Math.abs(of(place) - of(x)) < Math.abs(of(near) - of(x)) ? place : near), this.places[0]);
      if (best !== this.cursor || x === best)
        return best;
      /* A step of the arrow keys is less than from one place to the next. */
      const at = this.places.indexOf(best) + Math.sign(of(x) - of(this.cursor));
      return this.places[Math.max(0, Math.min(this.places.length - 1, at))];
    }

    drawn() {
      const rows = this.shown(), bars = rows.filter((row) => row.kind === "bars"), width = 0.8 / Math.max(1, bars.length);
      return rows.map((row) => {
        const style = this.style(row), k = bars.indexOf(row);
        if (row.kind === "level")
          return { ...row, style, points: [[-1e9, row.points[0][1]], [1e9, row.points[0][1]]] };
        if (k < 0)
          return { ...row, style, dots: row.kind === "points" };
        return { ...row, style, points: [], bars: row.points.filter((p) => Number.isFinite(p[1])).map(([x, y]) => [x - 0.4 + k * width, x - 0.4 + (k + 1) * width, y]) };
      });
    }

    /* Bars stand around their places and on zero; a level must not stretch the axis. */
    spans() {
      const rows = this.shown(), points = rows.filter((row) => row.kind !== "level").flatMap((row) => row.points);
      const ys = rows.flatMap((row) => row.points.map((p) => p[1])).filter((y) => Number.isFinite(y) && (!this.panel.y.log || y > 0));
      const x = this.barred ? { from: -0.6, to: this.places.length - 0.4 } : { from: Math.min(...points.map((p) => p[0])), to: Math.max(...points.map((p) => p[0])) };
      const given = this.panel.y.from !== this.panel.y.to || !ys.length;
      const low = Math.min(...ys), high = Math.max(...ys), y = this.panel.y.log ? { from: low / 1.5, to: high * 1.5 } : { from: Math.min(this.barred ? 0 : low, low), to: high + 0.06 * Math.abs(high) };
      return { x: points.length ? x : { from: 0, to: 1 }, y: given ? {} : y };
    }

    draw() {
      this.plot.draw({ series: this.drawn(), ...this.spans() });
      this.read();
    }

    read() {
      const value = (row) => { const found = row.points.find((p) => p[0] === this.cursor); return found ? found[1] : NaN; };
      const rows = this.shown().filter((row) => row.kind !== "level").map((row) => [row, value(row)]);
      const place = this.panel.x.names.length ? this.panel.x.names[this.cursor] : number(this.cursor, 4);
      this.plot.cursor(this.cursor, this.barred ? [] : rows.map(([row, y]) => [y, this.style(row)]),
                       `${this.panel.x.label} ${place}: ${rows.map(([row, y]) => `${row.name} ${number(y, 3)}`).join(", ")}`);
      this.said.replaceChildren(make("table", {}, make("caption", {}, `${this.panel.x.label} ${place}`),
        make("tbody", {}, ...rows.map(([row, y]) => make("tr", { "data-name": row.name }, make("th", { scope: "row" }, Plot.swatch(this.style(row)), " ", row.name),
          make("td", {}, Number.isFinite(y) ? datum(y, 5) : "none"))))));
    }
  }

  /* ---- one experiment ---- */

  function legend(experiment, panels, styles) {
    return make("fieldset", { className: "legend" }, make("legend", {}, "Shown"), ...styles.map((name, k) => {
      const id = `experiment-${experiment.key}-series-${k}`, box = make("input", { type: "checkbox", id, checked: true });
      box.addEventListener("change", () => panels.forEach((panel) => {
        panel.hidden[box.checked ? "delete" : "add"](name);
        panel.draw();
      }));
      return make("label", { className: "check", htmlFor: id }, box, " ", Plot.swatch(k), " ", name);
    }));
  }

  /* All rows, made when they are asked for. */
  function table({ columns, rows }) {
    const text = (value) => (typeof value === "number" ? number(value) : value);
    const details = make("details", {}, make("summary", {}, `The table, ${rows.length} rows`));
    details.addEventListener("toggle", () => {
      if (details.querySelector("table"))
        return;
      details.append(make("div", { className: "scroll tall", tabIndex: 0, role: "region", "aria-label": "The table" }, make("table", {},
        make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))),
        make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((value) => make("td", {}, text(value)))))))));
    });
    return details;
  }

  function show(experiment) {
    const styles = [...new Set(experiment.chart.panels.flatMap((panel) => panel.series.map((row) => row.name)))];
    const panels = experiment.chart.panels.map((panel, k) => new Panel(experiment, panel, styles, k));
    byId("experiment-list").append(make("article", { className: "experiment", id: `experiment-${experiment.key}` }, make("h3", {}, experiment.chart.title),
      make("p", {}, `${experiment.about[0].toUpperCase()}${experiment.about.slice(1)}.`), make("div", { className: panels.length > 1 ? "pair" : "result" }, ...panels.map((panel) => panel.element)),
      legend(experiment, panels, styles), make("p", { className: "made" }, "Made by ", make("code", {}, experiment.command)), table(experiment)));
    panels.forEach((panel) => panel.draw());
  }

  const has = (key) => keys.includes(key);

  function start(experiments) {
    keys = experiments.map((experiment) => experiment.key);
    byId("experiments").hidden = experiments.length === 0;
    document.querySelector("nav a[href='#experiments']").hidden = experiments.length === 0;
    experiments.forEach(show);
  }

  return { start, has };
})();
