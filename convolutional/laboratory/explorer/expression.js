/* expression.js - the formula language of --act, as the program reads it: the same grammar, words, limits and derivatives.
 *
 *   const f = Expression.parse("x*sigmoid(b*x); b=1");      throws a FormulaError, whose `at` is the place of the mistake
 *   f.value(1) -> { value, slope }
 *
 * The tables of operators and functions come with the page's data, derivatives included, from the program itself. A formula is a list
 * of nodes, operands first. Its slope is computed beside its value, node by node (forward mode): as exact as the value. Nothing that a
 * person types is ever run as JavaScript. */
"use strict";

class FormulaError extends Error {
  constructor(at, message) {
    super(message);
    this.at = at;
  }
}

const Expression = (() => {
  const CHOICE = 1, COMPARISON = 4, POWER = 8;
  let limits, infix, functions, shorthands, rules;

  /* ---- tables ---- */

  /* tables: { limits, operators: [{name, spelling, operands, precedence, derivatives}], functions: [...], shorthands: [...] } */
  function prepare(tables) {
    limits = tables.limits;
    infix = tables.operators.filter((row) => row.operands === 2);
    functions = new Map(tables.functions.filter((row) => row.name in Special.values).map((row) => [row.name, row]));
    shorthands = new Map(tables.shorthands.map((row) => [row.name, row]));
    rules = new Map();
    for (const row of [...tables.operators, ...tables.functions])
      rules.set(row.name, row.derivatives.map((text) => (text && text !== "0" ? new Formula(ours(text, ["a", "b"]), []) : null)));
  }

  const functionNames = () => [...functions.keys(), ...shorthands.keys()];
  const constants = { pi: Math.PI, e: Math.E };
  const hasMeaning = (name) => name === "x" || name === "g" || name in constants || functions.has(name) || shorthands.has(name);

  /* ---- building: each node is kept once ---- */

  class Builder {
    constructor() {
      this.nodes = [];
      this.places = new Map();
    }

    add(name, operands, number) {
      const key = `${name} ${operands.join(" ")} ${number}`;
      if (!this.places.has(key)) {
        const varies = name === "x" || name === "g" || operands.some((k) => this.nodes[k].varies);
        this.places.set(key, this.nodes.length);
        this.nodes.push({ name, operands, number, varies });
      }
      return this.places.get(key);
    }
  }

  /* A formula of the program's own tables, in which the names a, b, c stand for the first variables. */
  function ours(text, names) {
    const builder = new Builder();
    const parser = new Parser(text, builder, false);
    names.forEach((name, k) => parser.names.set(name, builder.add("variable", [], k)));
    return finish(builder, parser.whole());
  }

  /* ---- reading ---- */

  const nearest = (wrong, names) => {
    const near = names.filter((name) => (wrong.length >= 3 && name.startsWith(wrong)) || 3 * distance(wrong, name) <= Math.max(wrong.length, name.length) + 1);
    near.sort((a, b) => distance(wrong, a) - distance(wrong, b));
    return near.length ? `did you mean ${near.slice(0, 3).join(" or ")}? ` : "";
  };

  /* How many letters differ, at least. */
  function distance(a, b) {
    let last = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const row = [i];
      for (let j = 1; j <= b.length; j++)
        row[j] = Math.min(last[j - 1] + (a[i - 1] !== b[j - 1]), 1 + Math.min(row[j - 1], last[j]));
      last = row;
    }
    return last[b.length];
  }

  /* A descent by precedence, one function a level. */
  class Parser {
    constructor(text, builder, typed) {
      Object.assign(this, { text, builder, typed, at: 0, end: text.length, depth: 0, names: new Map(), parameters: [] });
    }

    fail(at, message) {
      throw new FormulaError(at, message);
    }

    next() {
      while (this.at < this.end && " \t\n\r".includes(this.text[this.at]))
        this.at++;
      return this.at < this.end ? this.text[this.at] : "";
    }

    match(pattern, at = this.at) {
      const found = pattern.exec(this.text.slice(at, this.end));
      return found ? found[0] : "";
    }

    name(at) { return this.match(/^[A-Za-z_][A-Za-z_0-9]*/, at); }
    digits() { return this.match(/^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/); }

    number() {
      const text = this.digits(), number = Number(text);
      if (!Number.isFinite(number))
        this.fail(this.at, "a number beyond 1.8e308: write a smaller one");
      this.at += text.length;
      return number;
    }

    deeper(inside) {
      if (this.depth === limits.depth)
        this.fail(this.at, `more than ${limits.depth} levels of brackets, signs or conditions: write it in a simpler form`);
      this.depth++;
      const node = inside();
      this.depth--;
      return node;
    }

    add(at, name, ...operands) {
      if (this.typed && this.builder.nodes.length >= limits.nodes)
        this.fail(at, `more than ${limits.nodes} operations: write it in a simpler form`);
      return this.builder.add(name, operands, 0);
    }

    /* ---- values ---- */

    closing(opened, bracket) {
      if (this.next() !== bracket)
        this.fail(this.at, `'${bracket}' is missing: close what opens at character ${opened + 1}`);
      this.at++;
    }

    bracket(end) {
      const opened = this.at++;
      return this.deeper(() => {
        const node = this.choice();
        this.closing(opened, end);
        return end === "|" ? this.add(opened, "abs", node) : node;
      });
    }

    operands(name, count) {
      const opened = this.at++, nodes = [];
      for (let i = 0; i < count; i++) {
        if (i > 0 && this.next() !== ",")
          this.fail(this.at, `${name} has ${count} operands: write a comma and the next`);
        this.at += i > 0 ? 1 : 0;
        nodes.push(this.choice());
      }
      if (this.next() === ",")
        this.fail(this.at, `${name} has ${count} operand${count === 1 ? "" : "s"}: write ')' here`);
      this.closing(opened, ")");
      return nodes;
    }

    call(at, name) {
      if (this.next() !== "(")
        this.fail(this.at, `${name} is a function: write ${name}(x)`);
      return this.deeper(() => {
        const row = functions.get(name) || shorthands.get(name);
        const nodes = this.operands(name, row.operands);
        return functions.has(name) ? this.add(at, name, ...nodes) : this.shorthand(row, nodes);
      });
    }

    shorthand(row, nodes) {
      const inner = new Parser(row.formula, this.builder, false);
      nodes.forEach((node, k) => inner.names.set("abc"[k], node));
      return inner.whole();
    }

    named() {
      const at = this.at, name = this.name(at);
      this.at += name.length;
      if (this.names.has(name))
        return this.names.get(name);
      if (functions.has(name) || shorthands.has(name))
        return this.call(at, name);
      if (Object.prototype.hasOwnProperty.call(constants, name))
        return this.builder.add("number", [], constants[name]);
      if (name === "x" || name === "g")
        return this.builder.add(name, [], 0);
      return this.unknown(at, name);
    }

    unknown(at, name) {
      const meant = nearest(name, functionNames()), next = this.next();
      if (next === ".")
        this.fail(at, `'${name}.' is Python's: write the function alone, as in sigmoid(x)`);
      if (next === "(")
        this.fail(at, `unknown function '${name}': ${meant}there are ${functionNames().join(" ")}`);
      if (this.parameters.length === limits.parameters)
        this.fail(at, `unknown name '${name}': ${meant}write x or a parameter`);
      this.fail(at, `unknown name '${name}': ${meant}write x, or declare a parameter at the end: '; ${name}=1'`);
    }

    item() {
      const c = this.next();
      if (c === "(" || c === "|")
        return this.bracket(c === "(" ? ")" : "|");
      if (this.digits())
        return this.builder.add("number", [], this.number());
      if (this.name(this.at))
        return this.named();
      if (!c)
        this.fail(this.at, "a value is missing at the end: write a number, x or a function");
      if (c < " " || c > "~")
        this.fail(this.at, "no letter, digit or sign of ASCII: write a number, x or a function");
      return this.fail(this.at, `a value is missing: write a number, x or a function before '${c}'`);
    }

    /* ---- operators ---- */

    /* What stands between two operands here: the longest spelling counts. */
    operator() {
      this.next();
      const rest = this.text.slice(this.at, this.end);
      let best = null;
      for (const row of infix)
        if (rest.startsWith(row.spelling) && (!best || row.spelling.length > best.length))
          best = { row, length: row.spelling.length };
      return rest.startsWith("**") ? { row: infix.find((row) => row.name === "power"), length: 2 } : best;
    }

    power() {
      const base = this.item(), found = this.operator();
      if (!found || found.row.name !== "power")
        return base;
      const at = this.at;
      this.at += found.length;
      return this.deeper(() => this.add(at, "power", base, this.prefix()));
    }

    prefix() {
      const c = this.next(), at = this.at;
      if (c !== "-" && c !== "+" && c !== "!")
        return this.power();
      this.at++;
      return this.deeper(() => {
        const node = this.prefix();
        return c === "+" ? node : this.add(at, c === "-" ? "negate" : "not", node);
      });
    }

    infix(least) {
      let left = this.prefix(), compared = false;
      for (;;) {
        const found = this.operator();
        if (!found || found.row.precedence < least || found.row.precedence === POWER)
          return left;
        const at = this.at, comparison = found.row.precedence === COMPARISON;
        if (compared && comparison)
          this.fail(at, "comparisons do not chain: write a < x && x < b");
        compared = comparison;
        this.at += found.length;
        left = this.add(at, found.row.name, left, this.infix(found.row.precedence + 1));
      }
    }

    choice() {
      const condition = this.infix(CHOICE + 1);
      if (this.next() !== "?")
        return condition;
      const at = this.at++;
      return this.deeper(() => {
        const then = this.choice();
        if (this.next() !== ":")
          this.fail(this.at, "':' is missing: write condition ? value : other");
        this.at++;
        return this.add(at, "choose", condition, then, this.choice());
      });
    }

    /* ---- the whole ---- */

    rest() {
      const at = this.at, c = this.text[at], name = this.name(at);
      if (name === "if")
        this.fail(at, "'a if condition else b' is Python's: write condition ? a : b");
      if (name === "and" || name === "or")
        this.fail(at, `'${name}' is Python's: write ${name === "and" ? "&&" : "||"}`);
      if (c === "=")
        this.fail(at, "'=' alone compares nothing: write ==");
      if (c === ")" || c === ":" || c === ",")
        this.fail(at, `'${c}' has no beginning: leave it out`);
      if (c === "&")
        this.fail(at, "'&' alone is no operator: write &&");
      if (name || c === "(" || this.digits())
        this.fail(at, "an operator is missing: write * to multiply");
      if (c < " " || c > "~")
        this.fail(at, "no letter, digit or sign of ASCII: leave it out");
      this.fail(at, `'${c}' means nothing in a formula: leave it out`);
    }

    whole() {
      const root = this.choice();
      if (this.next())
        this.rest();
      return root;
    }

    /* One `name=number`. */
    parameter() {
      const at = this.at, name = this.name(at);
      if (!name)
        this.fail(at, "a parameter is missing: write name=number, as in 'x*sigmoid(b*x); b=1'");
      if (this.parameters.length === limits.parameters)
        this.fail(at, `more than ${limits.parameters} parameters: leave some out`);
      if (name.length >= limits.name)
        this.fail(at, `a parameter's name of ${name.length} letters: at most ${limits.name - 1} fit`);
      if (hasMeaning(name) || this.parameters.some((row) => row.name === name))
        this.fail(at, `'${name}' has a meaning already: choose another name for the parameter`);
      this.at += name.length;
      if (this.next() !== "=")
        this.fail(this.at, `'=' is missing: write ${name}=1`);
      this.at++;
      const sign = this.next();
      this.at += sign === "-" || sign === "+" ? 1 : 0;
      this.next();
      if (!this.digits())
        this.fail(this.at, `a number is missing: write ${name}=1`);
      const number = this.number();
      this.parameters.push({ name, value: sign === "-" ? -number : number });
    }

    /* Parameters first, as they give names to the formula. */
    declared() {
      const semicolon = this.text.indexOf(";");
      if (semicolon < 0)
        return;
      this.at = semicolon;
      for (let c = this.next(); c; c = this.next())
        if (c === "," || c === ";")
          this.at++;
        else
          this.parameter();
      this.end = semicolon;
      this.at = 0;
    }
  }

  /* ---- computing ---- */

  class Formula {
    constructor(nodes, parameters) {
      const root = nodes.length - 1;
      Object.assign(this, { nodes, parameters, root, values: new Float64Array(nodes.length), slopes: new Float64Array(nodes.length) });
      this.gated = nodes.some((node) => node.name === "g");
    }

    reads(k) { return this.nodes.some((node) => node.name === "variable" && node.number === k); }

    /* The value alone, of up to two operands: for the rules of derivatives. */
    rule(a, b) {
      const values = this.values;
      this.nodes.forEach((node, i) => {
        if (node.name === "variable")
          values[i] = node.number === 0 ? a : b;
        else
          values[i] = this.node(node);
      });
      return values[this.root];
    }

    node(node) {
      const [a, b, c] = node.operands.map((k) => this.values[k]);
      if (node.name === "number")
        return node.number;
      return node.name === "choose" ? (a !== 0 ? b : c) : Special.values[node.name](a, b);
    }

    /* d node / dx, from the slopes of its operands. */
    slope(node) {
      const [a, b] = node.operands.map((k) => this.values[k]);
      if (node.name === "choose")
        return this.slopes[node.operands[a !== 0 ? 1 : 2]];
      let sum = 0;
      rules.get(node.name).forEach((rule, k) => {
        if (rule && k < node.operands.length && this.nodes[node.operands[k]].varies)
          sum += rule.rule(a, b) * this.slopes[node.operands[k]];
      });
      return sum;
    }

    /* At x; a gated unit's gate is g, x itself if it is left out. parameters: their numbers, in order. */
    value(x, parameters = this.parameters.map((row) => row.value), g = undefined) {
      let unknown = false;
      this.nodes.forEach((node, i) => {
        const leaf = node.name === "x" || node.name === "g";
        if (leaf)
          this.values[i] = node.name === "g" && g !== undefined ? g : x;
        else if (node.name === "variable")
          this.values[i] = parameters[node.number];
        else
          this.values[i] = this.node(node);
        this.slopes[i] = leaf ? 1 : node.varies ? this.slope(node) : 0;
        unknown = unknown || ((leaf || node.name === "variable") && Number.isNaN(this.values[i]));
      });
      return unknown ? { value: NaN, slope: NaN } : { value: this.values[this.root], slope: this.slopes[this.root] };
    }
  }

  /* What the root needs, itself last. */
  function finish(builder, root) {
    const needed = new Set([root]);
    for (let i = root; i >= 0; i--)
      if (needed.has(i))
        builder.nodes[i].operands.forEach((k) => needed.add(k));
    const places = [...needed].sort((a, b) => a - b), place = new Map(places.map((old, i) => [old, i]));
    return places.map((old) => ({ ...builder.nodes[old], operands: builder.nodes[old].operands.map((k) => place.get(k)) }));
  }

  /* names: of parameters that the caller declares; they come before those of the text. */
  function parse(text, names = []) {
    const builder = new Builder(), parser = new Parser(text, builder, true);
    if (text.length > limits.length)
      parser.fail(limits.length, `a formula of ${text.length} characters: at most ${limits.length} are read`);
    parser.declared();
    const own = parser.parameters, declared = names.map((name) => ({ name, value: 0 }));
    [...declared, ...own].forEach((row, k) => parser.names.set(row.name, builder.add("variable", [], k)));
    const root = parser.whole(), formula = new Formula(finish(builder, root), [...declared, ...own]);
    const unused = own.find((row, k) => !formula.reads(declared.length + k));
    if (unused)
      parser.fail(text.indexOf(";"), `the formula does not use the parameter '${unused.name}': leave it out`);
    return formula;
  }

  return { prepare, parse, functionNames };
})();
