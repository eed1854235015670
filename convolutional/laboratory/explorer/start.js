/* start.js - reads the page's data and starts its parts. */
"use strict";

(() => {
  const { byId } = Elements;
  const THEMES = [["system", ""], ["light", "light"], ["dark", "dark"]];

  /* The button goes round: the system's colours, light, dark. It is kept where the browser lets a page keep something. */
  function startTheme() {
    const recall = () => { try { return localStorage.getItem("theme"); } catch (_) { return null; } };
    const keep = (name) => { try { localStorage.setItem("theme", name); } catch (_) { /* a file may not keep anything */ } };
    let at = Math.max(0, THEMES.findIndex(([name]) => name === recall()));
    const show = () => {
      const [name, theme] = THEMES[at];
      document.documentElement.dataset.theme = theme;
      byId("theme").textContent = `Colours: ${name}`;
    };
    byId("theme").addEventListener("click", () => {
      at = (at + 1) % THEMES.length;
      keep(THEMES[at][0]);
      show();
    });
    show();
  }

  const data = JSON.parse(byId("data").textContent);
  byId("version").textContent = data.version;
  byId("count").textContent = String(data.activations.length);
  Expression.prepare(data.language);
  Catalogue.prepare(data);
  startTheme();
  Curves.start();
  Typed.start();
  Guide.start(data.guide);
  Signal.start();
  Experiments.start(data.experiments);
  Quiz.start();
})();
