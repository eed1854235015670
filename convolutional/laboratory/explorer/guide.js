/* guide.js - which activation for which network, and what stands after the last layer: the rows of the program's own guide. */
"use strict";

const Guide = (() => {
  const { byId, make } = Elements;
  const DEPTHS = [5, 15, 30], DEPTH_WORDS = ["up to 10 layers", "11 to 20 layers", "more than 20 layers"];
  const COLUMNS = [["activation", "last activation"], ["loss", "loss"], ["range", "output"], ["reason", "reason"]];
  let hidden = [];

  const fits = (words, word) => words === "" || (word !== "" && words.split(" ").includes(word));

  /* The first row that fits is the answer; the last one fits everything. */
  function answer(network, depth, norm, budget) {
    return hidden.find((row) => fits(row.networks, network) && depth >= row.depth && fits(row.norms, norm) && fits(row.budgets, budget));
  }

  function show() {
    const value = (id) => byId(`guide-${id}`).value, row = answer(value("network"), Number(value("depth")), value("norm"), value("budget"));
    const name = row.activation.split(":")[0], said = byId("advice");
    said.replaceChildren(make("strong", {}, row.activation), ` (weights: ${row.weights}): ${row.reason}. `);
    if (Catalogue.find(name)) {
      const button = make("button", { type: "button" }, "Show me in the figures");
      button.addEventListener("click", () => Curves.look([name], 1));
      said.append(button);
    }
  }

  function select(label, id, options) {
    const box = make("select", { id: `guide-${id}` }, ...options.map(([value, text]) => make("option", { value }, text)));
    box.addEventListener("change", show);
    return make("label", { className: "field", htmlFor: box.id }, label, " ", box);
  }

  function start(guide) {
    const words = (list, any) => [["", any], ...list.split(" ").map((word) => [word, word])];
    hidden = guide.hidden;
    byId("guide-choices").append(select("network", "network", words(guide.networks, "any")), select("depth", "depth", DEPTHS.map((depth, k) => [depth, DEPTH_WORDS[k]])),
      select("normalisation", "norm", words(guide.norms, "not known")), select("time to compute", "budget", words(guide.budgets, "not known")));
    byId("outputs").append(make("thead", {}, make("tr", {}, ...["task", ...COLUMNS.map((column) => column[1])].map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...guide.outputs.map((row) => make("tr", {}, make("th", { scope: "row" }, row.task), ...COLUMNS.map(([key, label]) => make("td", { "data-label": label }, row[key]))))));
    show();
  }

  return { start };
})();
