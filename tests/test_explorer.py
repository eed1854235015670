#!/usr/bin/env python3
"""The explorer page in Debian's chromium; exits 77 where that is not installed.

usage: test_explorer.py PROGRAMS_FOLDER [--pictures FOLDER]      --pictures: also what the page looks like, to look at

Wide and narrow, light and dark: nothing is asked of the network, nothing complained about, nothing wider than the screen; curves, values and
messages are the program's own; every control is reached by the keyboard."""
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
import chromium    # noqa: E402

SIZES = [(1280, False), (1280, True), (390, False), (390, True)]
CLOSE = 1e-12
EXPERIMENTS = ["linear-collapse", "vanishing"]      # quick ones
WRONG = ["x*sigmod(2*x)", "x*(1 + x", "x > 0 ? x", "x*y", "2x", "x +", "x*sigmoid(b*x); b=", "x; b=1", "1 < x < 2", "np.tanh(x)", "x if x > 0 else 0", "max(x)",
         "tanh(x, 1)", "tanh x", "x = 1", "x & 1", "x $ 1", "x)", "", "x*1e999", "x; sin=1", "|x", "x*a*b*c*d*f; a=1 b=1 c=1 d=1 f=1", "(" * 70 + "x",
         "7", "a+1; a=2", "log(x)", "sqrt(x)", "1/x", "x > 3 ? 1/(x - 5) : x", "abs(x)^0.5", "x*1e7", "x*1e-7"]
TYPED = ["x*sigmoid(2*x)", "x*tanh(softplus(x))", "x > 0 ? x : 0.1*x", "x*sigmoid(b*x); b=1.5", "x/(1+|x|)", "2**x - -x^2", "min(x, 2)*max(-x, 1)", "clamp(x, -1, 1.5)",
         "x*phi(x) + erf(x)/3", "atan(x) + sin(x)*cos(x)", "sinh(x/4) - log1p(x^2) + expm1(-|x|)", "x >= 1 && x < 3 || !(x != 5) ? x^2 : sqrt(x^2 + 1)",
         "elu(x) + mish(x)*gelu(x) - logsigmoid(x)", "x*normal(x) + sign(x)*relu6(x)", "log(1 + exp(x/9))*e - pi*x", "hardswish(x) + hardsigmoid(x)*softsign(x)"]
POINTS = [-3.25, -1, -0.3, 0.7, 1, 2.5]


class Failure(Exception):
    pass


def expect(ok, what):
    if not ok:
        raise Failure(what)


def near(a, b, tolerance=CLOSE):
    return a is not None and abs(a - b) <= tolerance * max(1, abs(b))


def program(programs, *arguments):
    """Its exit status and what it said."""
    done = subprocess.run([os.path.join(programs, "activations"), *map(str, arguments)], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def typed(page, text):
    """What the page says to a formula: its message, and f and f' at 1, as the reader sees them."""
    page.run(f"""(() => {{ const box = document.querySelector("#text"); box.value = {json.dumps(text)}; box.dispatchEvent(new Event("input")); }})()""")
    return page.run("""[document.querySelector("#mistake").textContent, ...["f(x)", "f\\u2032(x)"].map((name) =>
        Number([...document.querySelectorAll("#facts div")].find((row) => row.firstChild.textContent === name).querySelector("data").value))]""")


# ---- cases ----

def check_values(page, data):
    """The curves' values are the catalogue's, at x = 1 as the table shows them, elsewhere as the figures draw them."""
    page.run("Catalogue.chooseOnly(Catalogue.all().map((row) => row.name))")
    shown = page.run("""[...document.querySelectorAll("#reading tbody tr")].map((row) => [row.dataset.name, ...[...row.querySelectorAll("data")].map((d) => Number(d.value))])""")
    drawn = page.run(f"""Catalogue.all().map((row) => {json.dumps([v[0] for v in data["activations"][0]["values"]])}.map((x) => {{ const at = row.value(x); return [at.value, at.slope]; }}))""")
    expect(len(shown) == len(data["activations"]), f"{len(shown)} rows of {len(data['activations'])} activations")
    curves = page.run("""[...document.querySelectorAll("#values path.curve")].map((path) => [path.dataset.name, path.getAttribute("d").length])""")
    expect(len(curves) == len(shown) and all(length > 200 for _, length in curves), f"curves: {curves}")
    for row, seen, computed in zip(data["activations"], shown, drawn):
        at_one = next(v for v in row["values"] if v[0] == 1)
        expect(seen[0] == row["key"] and near(seen[1], at_one[1]) and near(seen[2], at_one[2]), f"{row['key']} at 1: {seen[1:]}, the catalogue has {at_one[1:]}")
        for (x, f, df), (value, slope) in zip(row["values"], computed):
            expect(near(value, f) and near(slope, df), f"{row['key']} at {x}: {value}, {slope}, the catalogue has {f}, {df}")
    page.run("document.querySelector('#usual').click()")


def check_cursor(page):
    """By arrow keys and by the pointer: the table follows."""
    page.run("document.querySelector('#values svg').focus()")
    read = "Number(document.querySelector('#reading tr[data-name=relu] data').value)"
    page.press("ArrowRight", 39)
    expect(near(page.run(read), 1.1), f"after the right arrow relu is {page.run(read)}, not 1.1")
    page.press("Home", 36)
    expect(page.run(read) == 0 and page.run("document.querySelector('#x').value") == "-5", "Home goes to the left end")
    box = page.run("(() => { const b = document.querySelector('#values svg').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + box[2] - 40, y=box[1] + box[3] / 2)
    expect(page.run(read) > 3, f"under the pointer relu is {page.run(read)}, not above 3")
    page.run("(() => { const x = document.querySelector('#x'); x.value = 1; x.dispatchEvent(new Event('input')); })()")


def check_typed(page, programs):
    for text in TYPED:
        said = typed(page, text)
        expect(said[0] == "", f"{text}: {said[0]}")
        path = page.run("document.querySelector('#typed path.curve').getAttribute('d').length")
        expect(path > 200, f"{text}: nothing is drawn")
        values = page.run(f"(() => {{ const f = Expression.parse({json.dumps(text)}); return {json.dumps(POINTS)}.map((x) => {{ const at = f.value(x); return [at.value, at.slope]; }}); }})()")
        for place, command in enumerate(["eval", "grad"]):
            code, out, err = program(programs, command, text, *POINTS)
            expect(code == 0, f"activations {command} '{text}': {err}")
            for x, got, wanted in zip(POINTS, values, map(float, out.split())):
                expect(near(got[place], wanted), f"{command} of {text} at {x}: {got[place]}, the program has {wanted}")
    command = page.run("document.querySelector('#command').value")
    expect(command.endswith(f"--act '{TYPED[-1]}'"), f"the command to copy: {command}")


def check_mistakes(page, programs):
    """The page's words for a mistake are the program's, and the caret is at the same place."""
    for text in WRONG:
        said = typed(page, text)[0]
        code, _, err = program(programs, "eval", text or " ", 1)
        expect(said and code == 2, f"'{text}': the page says '{said}', the program ends with {code}")
        wanted = err.split(": ", 1)[1].rstrip("\n").replace("-nan", "nan")
        if "formula" in wanted:
            exact = "root mean square" not in wanted      # a number of three digits follows, written in two ways
            expect(said == wanted if exact else said.split("square")[0] == wanted.split("square")[0], f"'{text}': the page says\n{said}\nthe program\n{wanted}")
    typed(page, "x*sigmoid(2*x)")


def check_keyboard(page):
    """Tab goes through every control, each shows that it has the focus; the quiz is answered without a pointer."""
    page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    wanted = page.run("""(() => { let n = 0; for (const e of document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']"))
        if (e.type !== "radio" && e.checkVisibility() && !e.disabled) e.dataset.wanted = n++; return n; })()""")
    seen, hidden = set(), []
    for _ in range(wanted + 60):
        page.press("Tab", 9)
        at, outlined, radio = page.run("""(() => { const e = document.activeElement, s = getComputedStyle(e);
            return [e.dataset.wanted === undefined ? -1 : Number(e.dataset.wanted), s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0, e.type === "radio"]; })()""")
        if at >= 0 or radio:
            seen.add(at)
            if not outlined:
                hidden.append(page.run("document.activeElement.outerHTML.slice(0, 80)"))
    missed = [page.run(f"document.querySelector('[data-wanted=\"{k}\"]').outerHTML.slice(0, 90)") for k in range(wanted) if k not in seen]
    expect(not missed, f"not reached by Tab: {missed[:5]}")
    expect(not hidden, f"no visible focus: {hidden[:5]}")
    page.run("document.querySelector('#answer-0-0').focus()")
    page.press(" ", 32, text=" ")
    page.press("ArrowDown", 40)
    page.press("Enter", 13, text="\r")
    score = page.run("document.querySelector('#score').textContent")
    expect(score.startswith("1 right of 1"), f"the score after a right answer: {score}")
    expect(page.run("document.querySelector('.why').textContent").startswith("Right."), "the explanation")


def check_experiments(page, data):
    """Every line and bar is drawn; the values under the cursor are the chart's; a box hides a line; the table has all rows."""
    for experiment in data["experiments"]:
        here = f"#experiment-{experiment['key']}"
        for k, panel in enumerate(experiment["chart"]["panels"]):
            box = f"{here}-{k}"
            expect(page.run(f"document.querySelectorAll('{box} path.curve, {box} .bars').length") == len(panel["series"]), f"{box}: not all series are drawn")
            page.run(f"document.querySelector('{box} svg').focus()")
            page.press("Home", 36)
            shown = page.run(f"[...document.querySelector('{box}').closest('.panel').querySelectorAll('.scroll tr')].map((row) => Number(row.querySelector('data').value))")
            expect(shown == [float(series["y"].split()[0]) for series in panel["series"]], f"{box}: at the left end {shown}")
        page.run(f"document.querySelector('{here} .legend input').click()")
        left = page.run(f"document.querySelectorAll('{here}-0 path.curve, {here}-0 .bars').length")
        expect(left == len(experiment["chart"]["panels"][0]["series"]) - 1, f"{here}: {left} series after one was hidden")
        page.run(f"document.querySelector('{here} .legend input').click(); document.querySelector('{here} details').open = true")
        page.settle()
        rows = page.run(f"document.querySelectorAll('{here} details tbody tr').length")
        expect(rows == len(experiment["rows"]), f"{here}: {rows} rows of {len(experiment['rows'])}")
    expect([e["key"] for e in data["experiments"]] == EXPERIMENTS, "the experiments")


def check_quiz(page):
    """Numbers that questions state are the catalogue's."""
    wrong = page.run("""Questions.quiz.flatMap((q) => (q.facts || []).map((fact) => [q.ask, fact])).filter(([, [name, x, f, df, close]]) => {
        const at = Catalogue.find(name).value(x); return (f !== null && !(Math.abs(at.value - f) <= close)) || (df !== null && !(Math.abs(at.slope - df) <= close)); })""")
    expect(not wrong, f"facts that are none: {wrong}")
    unknown = page.run("[...Questions.quiz, ...Questions.exercises].flatMap((q) => q.look || []).filter((name) => !Catalogue.find(name))")
    expect(not unknown, f"no such activations: {unknown}")
    farthest = page.run("Math.max(...Array.from({ length: 2001 }, (_, k) => k / 200 - 5).map((x) => Math.abs(Catalogue.find('gelu').value(x).value - Catalogue.find('gelu_tanh').value(x).value)))")
    expect(4e-4 < farthest < 5e-4, f"gelu's tanh form is {farthest} away, the quiz says just under 0.0005")


def check_names(page):
    """Whatever can be worked has a name that is read aloud."""
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "checkbox", "radio", "slider", "textbox", "combobox", "spinbutton", "link"}
    nameless = [n["role"]["value"] for n in tree if not n.get("ignored") and n.get("role", {}).get("value", "").lower() in roles and not n.get("name", {}).get("value")]
    expect(not nameless, f"controls without a name: {nameless}")


def check_colours(page, dark):
    ground = page.run("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, ground[4:-1].split(","))) > 384
    expect(light != dark, f"{'dark' if dark else 'light'} colours are wanted, the ground is {ground}")
    page.run("(() => { const b = document.querySelector('#theme'); b.click(); if (matchMedia('(prefers-color-scheme: light)').matches) b.click(); })()")
    turned = page.run("getComputedStyle(document.body).backgroundColor")
    expect(turned != ground, "the button changes the colours")
    page.run("localStorage.removeItem('theme')")


def check_width(page, width):
    wide = page.run("document.documentElement.scrollWidth")
    outside = page.run(f"""[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > {width} + 1 && !e.closest(".scroll, svg, .skip")).map((e) => e.outerHTML.slice(0, 90)).slice(0, 5)""")
    expect(wide <= width and not outside, f"{wide} pixels wide on a screen of {width}: {outside}")


def check_page(browser, programs, path, data, width, dark, pictures):
    page = browser.page(width=width, dark=dark)
    page.open(path)
    check_width(page, width)
    if pictures:
        page.picture(os.path.join(pictures, f"explorer-{width}-{'dark' if dark else 'light'}.png"))
    check_values(page, data)
    check_width(page, width)
    check_cursor(page)
    check_names(page)
    check_experiments(page, data)
    check_width(page, width)
    if (width, dark) == SIZES[0]:
        check_typed(page, programs)
        check_mistakes(page, programs)
        check_quiz(page)
    said = typed(page, "x*sigmod(2*x)")[0]
    expect("did you mean sigmoid" in said, f"a wrong formula: {said}")
    check_width(page, width)
    typed(page, "x*sigmoid(2*x)")
    expect(near(typed(page, "x^2")[1], 1) and near(typed(page, "x^2")[2], 2), "x^2 at 1")
    if not dark:
        check_keyboard(page)
    check_colours(page, dark)
    page.settle()
    expect(page.requests == [f"file://{path}"], f"requests: {page.requests}")
    expect(not page.complaints, f"complaints: {page.complaints}")


def main():
    options = chromium.arguments()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "explorer.html")
        code, _, err = program(options.programs, "explore", "-o", path, "--experiments", ",".join(EXPERIMENTS))
        expect(code == 0, f"activations explore: {err}")
        with open(path) as file:
            data = json.loads(file.read().split('id="data">', 1)[1].split("</script>", 1)[0])
        with chromium.Chromium() as browser:
            for width, dark in SIZES:
                try:
                    check_page(browser, options.programs, path, data, width, dark, options.pictures)
                except (Failure, chromium.Failure) as failure:
                    print(f"{width} pixels, {'dark' if dark else 'light'}: {failure}")
                    return 1
    print(f"{len(data['activations'])} activations, {len(TYPED)} formulas, {len(WRONG)} mistakes, {len(SIZES)} screens: as they should be")
    return 0


sys.exit(main())
