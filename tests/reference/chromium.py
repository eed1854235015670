"""Drives Debian's chromium without a display, over a pipe: no port, no package beside Python's own.

    with Chromium() as browser:
        page = browser.page(width=390, dark=True)
        page.open("/tmp/explorer.html")
        page.run("document.title")
"""
import argparse
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120      # seconds: a busy machine takes long to start it


def program():
    """Its path; None where it is not installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def arguments():
    """Of a test of pages: the folder of the programs, and where pictures are to go. Ends the test as skipped where there is no browser."""
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--pictures")
    options = parser.parse_args()
    if not program():
        print("skipped: no chromium: scripts/install_dependencies.sh --peers")
        sys.exit(77)
    return options


class Failure(Exception):
    pass


class Chromium:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="chromium-")
        to_child, self.writing = os.pipe()
        self.reading, from_child = os.pipe()
        options = ["--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--hide-scrollbars",
                   "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", f"--user-data-dir={self.folder}"]
        if os.geteuid() == 0:      # its sandbox refuses to work for root
            options.append("--no-sandbox")
        # The browser reads commands from file 3 and answers on file 4.
        self.process = subprocess.Popen(["sh", "-c", f'exec 5<&{to_child} 6>&{from_child}; exec 3<&5 4>&6; exec "$@"', "sh", program(), *options, "about:blank"],
                                        pass_fds=(to_child, from_child), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.rest, self.last, self.events = b"", 0, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.writing)
        os.close(self.reading)
        shutil.rmtree(self.folder, ignore_errors=True)

    def read(self, patience):
        """The next message; None after that many seconds without one."""
        while b"\0" not in self.rest:
            if not select.select([self.reading], [], [], patience)[0]:
                return None
            more = os.read(self.reading, 1 << 20)
            if not more:
                raise Failure("chromium ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.read(PATIENCE)
            if answer is None:
                break
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise Failure(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)
        raise Failure(f"{method}: no answer in {PATIENCE} s")

    def page(self, width, height=900, dark=False):
        return Page(self, width, height, dark)


class Page:
    """A tab. What it asked the network for is in `requests`, what it complained about in `complaints`."""

    def __init__(self, browser, width, height, dark):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                                                         {"name": "prefers-reduced-motion", "value": "reduce"}])

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def open(self, path):
        self.call("Page.navigate", url=f"file://{os.path.abspath(path)}")
        end = time.monotonic() + PATIENCE
        while not self.run("location.protocol === 'file:' && document.readyState === 'complete'"):      # in one: about:blank is complete too
            if time.monotonic() > end:
                raise Failure(f"{path} was not loaded in {PATIENCE} s")
            time.sleep(0.05)
        self.settle()

    def settle(self):
        """Waits until what was asked for is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def run(self, expression):
        """The value of a JavaScript expression, waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failure(f"{expression[:80]}: {details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    def press(self, key, code=0, modifiers=0, text=None):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers,
                      **({"text": text} if text and kind == "keyDown" else {}))

    def of_this(self, method):
        return [event["params"] for event in self.browser.events if event.get("sessionId") == self.session and event.get("method") == method]

    @property
    def requests(self):
        return [event["request"]["url"] for event in self.of_this("Network.requestWillBeSent")]

    @property
    def complaints(self):
        thrown = [event["exceptionDetails"].get("exception", {}).get("description", event["exceptionDetails"]["text"]) for event in self.of_this("Runtime.exceptionThrown")]
        said = [" ".join(str(a.get("value", a.get("description"))) for a in event["args"]) for event in self.of_this("Runtime.consoleAPICalled")]
        return thrown + said + [event["entry"]["text"] for event in self.of_this("Log.entryAdded")]

    def picture(self, path, whole=True):
        clip = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}, "captureBeyondViewport": True}
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png", **clip)["data"]))
