/* typed.js - the formula box: what is typed is drawn with its derivative, or its mistake is shown where it is. */
"use strict";

const Typed = (() => {
  const { byId, make, datum, number, slider, span } = Elements;
  const VALUE = 0, SLOPE = 1, FROM = -5, TO = 5;
  const EXAMPLES = ["x*sigmoid(2*x)", "x*tanh(softplus(x))", "x > 0 ? x : 0.1*x", "x*sigmoid(b*x); b=1", "x/(1 + |x|)", "max(x, 0) + a*sin(x); a=0.2", "x*phi(x)"];
  let plot, formula = null, parameters = [], square = 1, x = 1;

  /* ---- what the program would refuse as well; it looks at numbers that float does not hold, and at derivatives by learned numbers, too ---- */

  /* E f(z)^2 of independent standard normal x and g, by the trapezoid rule. */
  function meanSquare() {
    const step = formula.gated ? 0.25 : 1 / 32, points = Math.round(8 / step);
    let moment = 0, total = 0;
    for (let j = formula.gated ? -points : 0; j <= (formula.gated ? points : 0); j++)
      for (let i = -points; i <= points; i++) {
        const z = i * step, g = j * step, weight = Math.exp(-(z * z + g * g) / 2);
        moment += weight * formula.value(z, parameters, g).value ** 2;
        total += weight;
      }
    return moment / total;
  }

  const LARGEST = 3.4028234663852886e38;      /* of float */
  const flaw = (value) => (Number.isNaN(value) ? "not a number" : !Number.isFinite(value) ? "infinite" : Math.abs(value) > LARGEST ? "too large for float" : "");

  function complaint(text, square) {
    if (!formula.nodes.some((node) => node.name === "x"))
      return `a formula that does not depend on x: '${text}': write x for what the activation is given`;
    for (let i = -160; i <= 160; i++) {
      const x0 = i / 8, ofValue = flaw(formula.value(x0, parameters, formula.gated ? -x0 : undefined).value), ofSlope = flaw(formula.value(x0, parameters).slope);
      if (ofValue || ofSlope)
        return `${ofValue ? "the formula" : "the derivative of the formula"} is ${ofValue || ofSlope} at x = ${x0}: '${text}': ` +
          "write one that is finite from -20 to 20, such as 'x > 0 ? ... : ...'";
    }
    if (!(square > 1e-8 && square < 1e8))
      return `a formula whose values are too ${square > 1 ? "large" : "small"}: '${text}': for a standard normal x they have root mean square ` +
        `${Number(Math.sqrt(square).toPrecision(3))}: multiply it by a number`;
    return "";
  }

  /* ---- showing ---- */

  const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;

  function mistake(text, error) {
    const caret = error.at === undefined ? "" : `\n    ${text}\n    ${" ".repeat(error.at)}^`;
    byId("mistake").textContent = error.at === undefined ? error.message : `formula: character ${error.at + 1}: ${error.message}${caret}`;
    byId("text").setAttribute("aria-invalid", "true");
    byId("typed").classList.toggle("stale", error.at !== undefined);      /* it shows what was typed before */
    byId("command").value = "";
  }

  function fine() {
    byId("mistake").textContent = "";
    byId("text").removeAttribute("aria-invalid");
    byId("typed").classList.remove("stale");
    byId("command").value = `convzoo train lenet --act ${quoted(byId("text").value.trim())}`;
  }

  function facts() {
    const at = formula.value(x, parameters);
    const rows = [["x", datum(x)], ["f(x)", datum(at.value)], ["f\u2032(x)", datum(at.slope)],
                  ["initialisation gain", datum(1 / Math.sqrt(square))], ["kind", formula.gated ? "gated unit (drawn with gate = x)" : "one input"]];
    byId("facts").replaceChildren(...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  }

  function point() {
    const at = formula.value(x, parameters);
    plot.cursor(x, [[at.value, VALUE], [at.slope, SLOPE]], `x ${number(x)}: f ${number(at.value)}, derivative ${number(at.slope)}`);
  }

  function draw() {
    const { f, df } = Curves.sample({ value: (at) => formula.value(at, parameters) }, FROM, TO);
    const held = [...f, ...df].map((p) => p[1]).filter(Number.isFinite), least = Math.max(-6, Math.min(0, ...held)), most = Math.min(6, Math.max(1, ...held));
    plot.draw({ series: [{ name: "f", style: VALUE, points: f }, { name: "slope", style: SLOPE, dashed: true, points: df }], x: { from: FROM, to: TO },
                y: { from: least - 0.05 * (most - least), to: most + 0.05 * (most - least) } });
    square = meanSquare();
    point();
    facts();
    const text = byId("text").value.trim(), problem = complaint(text, square);
    if (problem)
      mistake(text, { message: problem });
    else
      fine();
    if (byId("above").checked)
      Catalogue.setTyped(problem ? null : formula, parameters);
  }

  /* ---- reading ---- */

  function showSliders() {
    byId("typed-sliders").replaceChildren(...formula.parameters.map((row, k) => slider(row.name, `typed-${row.name}`, span(row.value), (value) => {
      parameters[k] = value;
      draw();
    })));
  }

  function read() {
    const text = byId("text").value;
    try {
      formula = Expression.parse(text);
    } catch (error) {
      if (!(error instanceof FormulaError))
        throw error;
      mistake(text, error);
      return;
    }
    parameters = formula.parameters.map((row) => row.value);
    showSliders();
    draw();
  }

  async function copy() {
    const command = byId("command"), button = byId("copy");
    command.select();
    try {
      await navigator.clipboard.writeText(command.value);
      button.textContent = "Copied";
    } catch (_) {
      button.textContent = "Selected: press Ctrl-C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }

  function start() {
    const onCursor = (to) => { x = to; point(); facts(); };
    plot = Plot.create(byId("typed"), { label: "Your formula and its derivative, at x", x: { label: "x" }, y: { label: "f, f\u2032" }, sampled: true, onCursor });
    byId("examples").append(...EXAMPLES.map((text) => {
      const button = make("button", { type: "button" }, text);
      button.addEventListener("click", () => { byId("text").value = text; read(); });
      return button;
    }));
    byId("functions").textContent = Expression.functionNames().join(" ");
    byId("text").addEventListener("input", read);
    byId("copy").addEventListener("click", copy);
    byId("above").addEventListener("change", () => Catalogue.setTyped(byId("above").checked ? formula : null, parameters));
    read();
  }

  function use(text) {
    byId("text").value = text;
    read();
    byId("formula").scrollIntoView();
    byId("text").focus({ preventScroll: true });
  }

  return { start, use };
})();
