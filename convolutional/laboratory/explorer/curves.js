/* curves.js - the two figures of f and f', what is chosen, the cursor, and the table of properties. */
"use strict";

const Curves = (() => {
  const { byId, make, datum, number, slider, span } = Elements;
  const USUAL = ["relu", "sigmoid", "tanh", "silu", "gelu"], SAMPLES = 601;
  const state = { x: 1, from: -5, to: 5 };
  let values, slopes;

  /* ---- choosing ---- */

  function showFamilies() {
    const select = byId("family");
    select.append(make("option", { value: "" }, "all"), ...Catalogue.families().map((name) => make("option", { value: name }, name)));
    select.addEventListener("change", showList);
  }

  function choice(row) {
    const box = make("input", { type: "checkbox", checked: row.chosen, value: row.name, id: `choose-${row.name.replace(/ /g, "-")}` });
    box.addEventListener("change", () => Catalogue.choose(row, box.checked));
    return make("label", { className: "check", htmlFor: box.id }, box, " ", row.name);
  }

  function showList() {
    const list = byId("list"), family = byId("family").value, names = family ? [family] : Catalogue.families();
    const inner = make("div", { className: "list" });
    for (const name of names)
      inner.append(make("p", { className: "family" }, name), ...Catalogue.all().filter((row) => row.info.family === name && !row.info.typed).map(choice));
    list.replaceChildren(list.firstElementChild, inner);
  }

  /* The boxes say what is chosen, whoever chose it. */
  function showChosen() {
    for (const box of byId("list").querySelectorAll("input"))
      box.checked = Catalogue.find(box.value).chosen;
  }

  /* ---- figures ---- */

  /* f and f' at places between the ends, at whole numbers too. */
  function sample(row, from, to) {
    const f = [], df = [];
    for (let i = 0; i < SAMPLES; i++) {
      const x = Number((from + (to - from) * i / (SAMPLES - 1)).toPrecision(12)), at = row.value(x);
      f.push([x, at.value]);
      df.push([x, at.slope]);
    }
    return { f, df };
  }

  /* A steep curve must not flatten all others: the figure is as high as x is wide at most. */
  function limits(series, from, to) {
    const all = series.flatMap((row) => row.points.map((p) => p[1])).filter(Number.isFinite);
    if (!all.length)
      return { from: -1, to: 1 };
    const least = Math.max(Math.min(0, ...all), Math.min(from, -1)), most = Math.min(Math.max(1, ...all), Math.max(to, 1.5));
    const room = 0.05 * (most - least);
    return { from: least - room, to: most + room };
  }

  function draw() {
    const sampled = Catalogue.chosen().map((row) => ({ row, ...sample(row, state.from, state.to) }));
    const series = (of) => sampled.map((s) => ({ name: s.row.name, style: s.row.style, points: s[of] }));
    const x = { from: state.from, to: state.to };
    values.draw({ series: series("f"), x, y: limits(series("f"), state.from, state.to) });
    slopes.draw({ series: series("df"), x, y: limits(series("df"), -2, 3) });
    read();
  }

  /* ---- the cursor ---- */

  function read() {
    const rows = Catalogue.chosen().map((row) => ({ row, ...row.value(state.x) }));
    const said = (of) => `x ${number(state.x)}: ${rows.map((r) => `${r.row.name} ${number(r[of], 4)}`).join(", ")}`;
    values.cursor(state.x, rows.map((r) => [r.value, r.row.style]), said("value"));
    slopes.cursor(state.x, rows.map((r) => [r.slope, r.row.style]), said("slope"));
    const cells = rows.map((r) => make("tr", { "data-name": r.row.name },
      make("th", { scope: "row" }, Plot.swatch(r.row.style), " ", r.row.text), make("td", {}, datum(r.value)), make("td", {}, datum(r.slope))));
    byId("reading").replaceChildren(
      make("caption", {}, rows.length ? `at x = ${number(state.x)}` : "Nothing is chosen: tick an activation."),
      make("thead", {}, make("tr", {}, ...["activation", "f(x)", "f\u2032(x)"].map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...cells));
  }

  function moveTo(x) {
    state.x = x;
    byId("x").value = x;
    read();
  }

  function typedNumber(id, use) {
    byId(id).addEventListener("input", () => {
      const value = byId(id).valueAsNumber;
      if (Number.isFinite(value) && Math.abs(value) <= 1e6)
        use(value);
    });
  }

  function range(from, to) {
    if (from >= to)
      return;
    Object.assign(state, { from, to });
    draw();
  }

  function listen() {
    typedNumber("x", (x) => { state.x = x; read(); });
    typedNumber("from", (from) => range(from, state.to));
    typedNumber("to", (to) => range(state.from, to));
    byId("zoom").addEventListener("input", () => {
      const reach = Number(byId("zoom").value);
      byId("from").value = -reach;
      byId("to").value = reach;
      range(-reach, reach);
    });
    byId("clear").addEventListener("click", () => Catalogue.chooseOnly([]));
    byId("usual").addEventListener("click", () => Catalogue.chooseOnly(USUAL));
  }

  /* ---- parameters ---- */

  /* Those of the chosen ones; they are kept while the same ones are chosen, so that a slider in use stays. */
  let sliderKey = "";
  function showSliders() {
    const rows = Catalogue.chosen().filter((row) => row.usual.length && !row.info.typed), key = rows.map((row) => row.name).join(" ");
    if (key === sliderKey)
      return;
    sliderKey = key;
    byId("sliders").replaceChildren(...rows.map((row) => make("fieldset", {}, make("legend", {}, row.name),
      ...row.info.parameters.map((parameter, k) => slider(parameter.name, `${row.name}-${parameter.name}`, { ...span(parameter.value), value: row.parameters[k] }, (value) => {
        row.parameters[k] = value;
        Catalogue.changed();
      })))));
  }

  /* ---- properties ---- */

  function showProperties() {
    const rows = Catalogue.chosen().filter((row) => !row.info.typed);
    const text = (row, label) => row.info.properties.find((p) => p.label === label).text;
    const labels = rows.length ? rows[0].info.properties.map((p) => p.label).filter((label) => rows.some((row) => text(row, label))) : [];
    byId("properties").replaceChildren(
      make("thead", {}, make("tr", {}, make("td"), ...rows.map((row) => make("th", { scope: "col" }, Plot.swatch(row.style), " ", row.name)))),
      make("tbody", {}, ...labels.map((label) => make("tr", {}, make("th", { scope: "row" }, label), ...rows.map((row) => make("td", {}, text(row, label)))))));
    byId("compare").querySelector(".scroll").hidden = rows.length === 0;
  }

  function start() {
    const onCursor = moveTo;
    values = Plot.create(byId("values"), { label: "f(x), at x", x: { label: "x" }, y: { label: "f(x)" }, sampled: true, onCursor });
    slopes = Plot.create(byId("slopes"), { label: "derivative, at x", x: { label: "x" }, y: { label: "f\u2032(x)" }, sampled: true, onCursor });
    showFamilies();
    showList();
    listen();
    Catalogue.onChange(() => { showChosen(); showSliders(); showProperties(); draw(); });
    Catalogue.chooseOnly(USUAL);
  }

  /* Shows these activations at x: the quiz does. */
  function look(names, x) {
    state.x = x;
    byId("x").value = x;
    Catalogue.chooseOnly(names);
    byId("curves").scrollIntoView();
    values.svg.focus({ preventScroll: true });
  }

  return { start, look, sample };
})();
