"""What every page that the programs write must be, for tests that open it in a browser."""
import json
import os
import subprocess


class Failure(Exception):
    pass


def expect(ok, what):
    if not ok:
        raise Failure(what)


def program(programs, folder, name, *arguments, expected=0):
    done = subprocess.run([os.path.join(programs, name), *arguments], capture_output=True, text=True, timeout=600, cwd=folder)
    expect(done.returncode == expected, f"{name} {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def texts(page, selector):
    return page.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)")


def check_alone(page, path, width):
    asked = [url for url in page.requests if not url.startswith("data:")]
    expect(asked == [f"file://{path}"], f"requests: {asked}")
    expect(not page.complaints, f"complaints: {page.complaints}")
    wide = page.run("document.documentElement.scrollWidth")
    outside = page.run(f"""[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > {width} + 1 && !e.closest(".scroll, svg, .skip")).map((e) => e.outerHTML.slice(0, 90)).slice(0, 5)""")
    expect(wide <= width and not outside, f"{wide} pixels wide on a screen of {width}: {outside}")


def check_names(page):
    """Whatever can be worked has a name that is read aloud."""
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "checkbox", "radio", "slider", "combobox", "link"}
    nameless = [n["role"]["value"] for n in tree if not n.get("ignored") and n.get("role", {}).get("value", "").lower() in roles and not n.get("name", {}).get("value")]
    expect(not nameless, f"controls without a name: {nameless}")


def open_page(browser, path, width, dark, pictures):
    page = browser.page(width=width, dark=dark)
    page.open(path)
    if pictures:
        page.picture(os.path.join(pictures, f"{os.path.basename(path)[:-5]}-{width}-{'dark' if dark else 'light'}.png"))
    ground = page.run("getComputedStyle(document.body).backgroundColor")
    expect((sum(map(int, ground[4:-1].split(","))) > 384) != dark, f"the ground is {ground}")
    return page
