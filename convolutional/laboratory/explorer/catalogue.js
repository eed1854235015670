/* catalogue.js - the activations of the program's catalogue, and what the reader has chosen of them. */
"use strict";

const Catalogue = (() => {
  const NOISE = 0.5;      /* what a random slope is outside training: its mean */
  let rows = [], listeners = [];

  class Activation {
    constructor(info, formula) {
      Object.assign(this, { info, formula, style: -1 });
      this.usual = info.parameters.map((row) => row.value);
      this.parameters = [...this.usual];
    }

    get name() { return this.info.key; }
    get chosen() { return this.style >= 0; }
    value(x) { return this.formula.value(x, [...this.parameters, NOISE]); }

    /* As --act takes it. */
    get text() {
      const changed = this.parameters.some((value, k) => value !== this.usual[k]);
      return changed ? `${this.name}:${this.parameters.join(",")}` : this.name;
    }
  }

  function prepare(data) {
    rows = data.activations.map((info) => new Activation(info, Expression.parse(info.formula, [...info.parameters.map((row) => row.name), "noise"])));
  }

  const all = () => rows;
  const find = (name) => rows.find((row) => row.name === name);
  const chosen = () => rows.filter((row) => row.chosen);
  const families = () => [...new Set(rows.map((row) => row.info.family))];

  /* The first style that no other one has. */
  function freeStyle() {
    const taken = new Set(rows.map((row) => row.style));
    let style = 0;
    while (taken.has(style))
      style++;
    return style;
  }

  function choose(row, wanted) {
    if (row.chosen !== wanted)
      row.style = wanted ? freeStyle() : -1;
    changed();
  }

  function chooseOnly(names) {
    rows.forEach((row) => { row.style = -1; });
    names.map(find).filter(Boolean).forEach((row) => { row.style = freeStyle(); });
    changed();
  }

  /* One that a reader typed stands at the end of the list; null takes it away. */
  function setTyped(formula, parameters) {
    const old = rows.find((row) => row.info.typed);
    rows = rows.filter((row) => row !== old);
    if (formula) {
      const info = { key: "your formula", family: "typed", typed: true, formula: "", parameters: formula.parameters, properties: [] };
      const row = new Activation(info, formula);
      row.parameters = [...parameters];
      row.style = old ? old.style : freeStyle();
      rows.push(row);
    }
    changed();
  }

  const onChange = (listener) => listeners.push(listener);
  const changed = () => listeners.forEach((listener) => listener());

  return { prepare, all, find, chosen, families, choose, chooseOnly, setTyped, onChange, changed };
})();
