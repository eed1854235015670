/* theme.js - the button of the page's colours. */
"use strict";

const Theme = (() => {
  const { byId } = Elements;
  const THEMES = [["system", ""], ["light", "light"], ["dark", "dark"]];

  /* The button goes round: the system's colours, light, dark. It is kept where the browser lets a page keep something. */
  function start() {
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

  return { start };
})();
