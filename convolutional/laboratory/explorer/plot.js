/* plot.js - a figure of lines or bars with axes and a cursor, as SVG: sharp on every screen and on paper.
 *
 *   const plot = Plot.create(container, { label, x: {label, from, to, log, whole}, y: {...}, onCursor: (x) => ... });
 *   plot.draw({ series: [{ name, style, points: [[x, y], ...] }], x: {from, to}, y: {from, to} });
 *   plot.cursor(1, [[y, style], ...], "what a screen reader says");
 *
 * style: 0, 1, ...: a colour of the page's palette and a dash pattern that goes with it, so that colour is never alone. */
"use strict";

const Plot = (() => {
  const { drawn, number } = Elements;
  const COLOURS = 8, EDGE = { left: 52, right: 12, top: 26, bare: 12, bottom: 38 }, FAR = 1e7, HALF = 1.5;      /* of a line: it is whole on the edge as well */
  const dashes = ["", "8 4", "2 3", "10 3 2 3", "5 2", "1 4", "12 4", "6 2 2 2 2 2"];

  const colour = (style) => `var(--c${style % COLOURS + 1})`;
  const dash = (style) => (style < 3 ? "" : dashes[(style - 2) % dashes.length]);
  const stroke = (style) => ({ stroke: colour(style), "stroke-dasharray": dash(style) || "none" });

  /* ---- axes ---- */

  /* Round numbers, about `count` of them, from `from` to `to`. */
  function ticks(from, to, count) {
    const rough = (to - from) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((k) => k * power >= rough * 0.999), found = [];
    for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; k++)
      found.push(Number((k * step).toPrecision(12)));
    return found;
  }

  function decades(from, to, count) {
    const first = Math.ceil(Math.log10(from) - 1e-9), last = Math.floor(Math.log10(to) + 1e-9), step = Math.max(1, Math.ceil((last - first) / count));
    const found = [];
    for (let k = first; k <= last; k += step)
      found.push(10 ** k);
    return found.length > 1 ? found : [from, to];
  }

  const superscript = (n) => String(n).replace(/./g, (c) => "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"["-0123456789".indexOf(c)]);
  const tickText = (value, log, digits) => (log && (value < 0.01 || value > 1000) ? `10${superscript(Math.round(Math.log10(value)))}` : number(value, digits));

  /* So many that no two of them read the same. */
  function digitsOf(values) {
    const step = values.length > 1 ? values[1] - values[0] : 0, most = Math.max(...values.map(Math.abs));
    return step > 0 ? Math.max(4, Math.min(9, Math.ceil(Math.log10(most / step)) + 1)) : 4;
  }

  function scale(axis, near, far) {
    const of = axis.log ? Math.log10 : (value) => value, first = of(axis.from), last = of(axis.to);
    const place = (value) => near + (of(value) - first) / (last - first) * (far - near);
    const back = (at) => {
      const value = first + (at - near) / (far - near) * (last - first);
      return axis.log ? 10 ** value : value;
    };
    return { place, back };
  }

  /* What the values of all series span, with a little room. */
  function span(values, log) {
    const usable = values.filter((value) => Number.isFinite(value) && Math.abs(value) < 1e300 && (!log || value > 0));
    if (!usable.length)
      return log ? { from: 0.1, to: 10 } : { from: -1, to: 1 };
    let from = Math.min(...usable), to = Math.max(...usable);
    if (log)
      return { from: from / 1.5, to: to * 1.5 };
    const room = (to - from) * 0.06 || Math.abs(to) * 0.1 || 1;
    return { from: from - room, to: to + room };
  }

  /* ---- one figure ---- */

  class Figure {
    constructor(container, options) {
      Object.assign(this, { container, options, shown: { series: [] }, marks: [], cursorX: null });
      this.svg = drawn("svg", { class: "plot", role: options.onCursor ? "slider" : "img", "aria-label": options.label });
      if (options.onCursor)
        this.listen();
      container.append(this.svg);
      new ResizeObserver(() => this.resized()).observe(container);
    }

    listen() {
      this.svg.setAttribute("tabindex", "0");
      const follow = (event) => {
        const x = this.sx.back(event.clientX - this.svg.getBoundingClientRect().left);
        this.options.onCursor(Number(Math.min(this.x.to, Math.max(this.x.from, x)).toPrecision(4)));
      };
      this.svg.addEventListener("pointermove", follow);
      this.svg.addEventListener("pointerdown", follow);
      this.svg.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      const step = (this.x.to - this.x.from) / (event.shiftKey ? 10 : 100), at = this.cursorX;
      const moves = { ArrowRight: at + step, ArrowUp: at + step, ArrowLeft: at - step, ArrowDown: at - step,
                      PageUp: at + 10 * step, PageDown: at - 10 * step, Home: this.x.from, End: this.x.to };
      if (!(event.key in moves))
        return;
      event.preventDefault();
      this.options.onCursor(Number(Math.min(this.x.to, Math.max(this.x.from, moves[event.key])).toPrecision(4)));
    }

    resized() {
      if (this.container.clientWidth !== this.width)
        this.render();
    }

    draw(shown) {
      this.shown = shown;
      this.render();
    }

    render() {
      const { series, x = {}, y = {} } = this.shown;
      this.width = this.container.clientWidth || 360;
      this.height = Math.round(Math.min(360, Math.max(220, this.width * 0.62)));
      const all = series.flatMap((row) => row.points);
      this.x = { ...span(all.map((p) => p[0]), this.options.x.log || x.log), ...this.options.x, ...x };
      this.y = { ...span(all.map((p) => p[1]), this.options.y.log || y.log), ...this.options.y, ...y };
      this.top = this.options.y.label ? EDGE.top : EDGE.bare;
      this.sx = scale(this.x, EDGE.left, this.width - EDGE.right);
      this.sy = scale(this.y, this.height - EDGE.bottom, this.top);
      this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      this.svg.replaceChildren(this.axes(), this.lines(series), this.pointer = drawn("g", { class: "pointer" }));
      this.point();
    }

    axes() {
      const g = drawn("g", { class: "axes" }), { left } = EDGE, { top } = this, right = this.width - EDGE.right, bottom = this.height - EDGE.bottom;
      const marks = (axis, count) => (axis.names ? axis.names.map((_, k) => k) : axis.log ? decades(axis.from, axis.to, count) : ticks(axis.from, axis.to, count).filter((at) => !axis.whole || Number.isInteger(at)));
      const across = marks(this.x, this.width / 70), up = marks(this.y, this.height / 45);
      for (const value of across) {
        const at = this.sx.place(value), text = this.x.names ? this.x.names[value] : tickText(value, this.x.log, digitsOf(across));
        g.append(drawn("line", { x1: at, x2: at, y1: top, y2: bottom, class: value === 0 && !this.x.names ? "zero" : "grid" }),
                 drawn("text", { x: at, y: bottom + 14, "text-anchor": "middle" }, text));
      }
      for (const value of up) {
        const at = this.sy.place(value);
        g.append(drawn("line", { x1: left, x2: right, y1: at, y2: at, class: value === 0 ? "zero" : "grid" }),
                 drawn("text", { x: left - 5, y: at + 4, "text-anchor": "end" }, tickText(value, this.y.log, digitsOf(up))));
      }
      g.append(drawn("text", { x: (left + right) / 2, y: this.height - 5, "text-anchor": "middle", class: "title" }, this.x.label),
               drawn("text", { x: 6, y: 16, class: "title" }, this.y.label));
      return g;
    }

    lines(series) {
      const id = `clip-${this.container.id}`, { left } = EDGE, { top } = this;
      const box = { x: left, y: top - HALF, width: this.width - left - EDGE.right, height: this.height - top - EDGE.bottom + 2 * HALF };
      const g = drawn("g", { "clip-path": `url(#${id})` }, drawn("clipPath", { id }, drawn("rect", box)));
      for (const row of series.filter(({ dots }) => !dots))
        g.append(row.bars ? this.bars(row) : drawn("path", { d: this.path(row.points), class: row.dashed ? "curve dashed" : "curve", ...stroke(row.style), "data-name": row.name }));
      return drawn("g", {}, g, ...series.filter(({ dots }) => dots).map((row) => this.dots(row)));
    }

    /* Where the values jump or are not finite, the pen is lifted. */
    path(points) {
      let text = "", down = false, before = NaN;
      for (const [x, y] of points) {
        const at = this.sy.place(y), usable = Number.isFinite(at) && !(this.y.log && y <= 0);
        if (!usable) {
          down = false;
          continue;
        }
        const held = Math.max(-FAR, Math.min(FAR, at));
        text += `${down && !(Math.abs(held - before) > this.jump()) ? "L" : "M"}${this.sx.place(x).toFixed(2)} ${held.toFixed(2)}`;
        down = true;
        before = held;
      }
      return text || "M0 0";
    }

    /* Curves are sampled finely: so large a step in one sample is a jump. */
    jump() { return this.options.sampled ? this.height * 0.12 : Infinity; }

    bars(row) {
      const g = drawn("g", { class: "bars" }), foot = this.sy.place(this.y.log ? this.y.from : 0);
      for (const [from, to, height] of row.bars) {
        const at = this.sy.place(height), x = this.sx.place(from);
        g.append(drawn("rect", { x, width: Math.max(1, this.sx.place(to) - x - 1), y: Math.min(at, foot), height: Math.abs(foot - at), fill: colour(row.style) }));
      }
      return g;
    }

    /* Whole ones, on the edge as well. */
    dots(row) {
      const inside = (axis, value) => value >= axis.from && value <= axis.to;
      return drawn("g", {}, ...row.points.filter(([x, y]) => inside(this.x, x) && inside(this.y, y)).map(([x, y]) => drawn("circle", { cx: this.sx.place(x), cy: this.sy.place(y), r: 3.5, fill: colour(row.style) })));
    }

    cursor(x, marks, text) {
      this.cursorX = x;
      this.marks = marks;
      this.svg.setAttribute("aria-valuenow", x);
      this.svg.setAttribute("aria-valuetext", text);
      this.point();
    }

    point() {
      if (this.cursorX === null || !this.pointer)
        return;
      this.svg.setAttribute("aria-valuemin", this.x.from);
      this.svg.setAttribute("aria-valuemax", this.x.to);
      const at = this.sx.place(this.cursorX), bottom = this.height - EDGE.bottom, inside = at >= EDGE.left - 1 && at <= this.width - EDGE.right + 1;
      this.pointer.replaceChildren();
      if (!inside)
        return;
      this.pointer.append(drawn("line", { x1: at, x2: at, y1: this.top, y2: bottom }));
      for (const [y, style] of this.marks) {
        const height = this.sy.place(y);
        if (height >= this.top - 1 && height <= bottom + 1)
          this.pointer.append(drawn("circle", { cx: at, cy: height, r: 4, fill: colour(style) }));
      }
    }
  }

  const create = (container, options) => new Figure(container, options);

  /* A short piece of line, as it stands in the figure. */
  function swatch(style) {
    return drawn("svg", { class: "swatch", width: 28, height: 10, "aria-hidden": "true" }, drawn("line", { x1: 0, x2: 28, y1: 5, y2: 5, ...stroke(style) }));
  }

  return { create, swatch, colour };
})();
