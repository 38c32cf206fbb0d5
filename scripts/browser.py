"""Chromium without a screen, for scripts that look at pages: only what they need."""

import base64, contextlib, json, os, shutil, subprocess, sys, time

PATIENCE = 60.0  # seconds; what takes longer hangs
SIZES = {1280: 900, 360: 780}
SCHEMES = ("light", "dark")
PICTURE_MAX = 2400  # pixels of a long page's beginning
KEYS = {"Tab": (9, ""), "Enter": (13, "\r")}


class Navigated(Exception):
    """The page that was asked is not there any more: the next one comes."""


class Browser:
    """Chromium, spoken to through a pipe: it needs neither a port nor a library."""

    def __init__(self, folder):
        program = shutil.which("chromium") or sys.exit("chromium is not installed: apt-get install chromium")
        ours, theirs = os.pipe(), os.pipe()

        def hand_over():
            read, write = os.dup(ours[0]), os.dup(theirs[1])
            os.dup2(read, 3)
            os.dup2(write, 4)

        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--disable-background-networking", "--disable-dev-shm-usage", "--no-first-run",
                 f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen([program, *flags], preexec_fn=hand_over, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.write, self.read = os.fdopen(ours[1], "wb"), os.fdopen(theirs[0], "rb")
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.write.write(json.dumps(message).encode() + b"\0")
        self.write.flush()
        while True:
            answer = self.next_message()
            if answer.get("id") == self.number:
                if "navigated" in answer.get("error", {}).get("message", ""):
                    raise Navigated
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def next_message(self):
        while b"\0" not in self.rest:
            piece = os.read(self.read.fileno(), 1 << 20)
            if not piece:
                sys.exit("chromium went away")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def value(self, script):
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            sys.exit(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def until(self, script, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(Navigated):
                if self.value(script):
                    return
            time.sleep(0.05)
        sys.exit(f"waited in vain for {what} at {self.value('location.href')}")

    def open(self, url, lands=None):
        """`lands`: where it leads, if not to itself."""
        self.call("Page.navigate", url=url)
        self.until(f"document.readyState == 'complete' && location.href == {json.dumps(lands or url)}", url)

    def after(self, act, what):
        """Does what leads to another page, and waits for that."""
        self.value("window.isBefore = true")
        with contextlib.suppress(Navigated):
            act()
        self.until("window.isBefore === undefined && document.readyState == 'complete'", what)

    def press(self, key):
        """A key, as somebody does who has no mouse."""
        code, text = KEYS[key]
        what = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **what)
        self.call("Input.dispatchKeyEvent", type="keyUp", **what)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def frame(self):
        """Waits until what was changed is drawn."""
        self.value("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    def requests(self, path):
        """How often this page asked for it."""
        return self.value(f"performance.getEntriesByType('resource').filter(it => new URL(it.name).pathname == {json.dumps(path)}).length")

    def look(self, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=SIZES[width],
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def drawn(self, chart):
        """How many dots of a chart have the colour of one of its lines: the last covers those it equals."""
        return self.value(f"""(() => {{
            const canvas = document.querySelector('#chart-{chart} canvas');
            if (!canvas?.width) return 0;
            const colours = ['--line-1', '--line-2', '--line-3'].map(name => {{
                const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
                return [1, 3, 5].map(at => parseInt(value.slice(at, at + 2), 16));
            }});
            const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let drawn = 0;
            for (let at = 0; at < dots.length; at += 4) {{
                // The edge of a line is thin paint of about its colour, and a steep line is all edge.
                const near = colour => colour.every((part, of) => Math.abs(dots[at + of] - part) < 24);
                drawn += dots[at + 3] > 64 && colours.some(near);
            }}
            return drawn;
        }})()""")

    def drawn_at_last(self, chart):
        """The same, once it is drawn anew for another size or other colours, which takes some frames."""
        end = time.monotonic() + PATIENCE
        while (dots := self.drawn(chart)) <= 20 and time.monotonic() < end:
            self.frame()
        return dots

    def picture(self, path):
        """Of the whole page, or of its beginning if it is long."""
        width, height = self.value("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, PICTURE_MAX), "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def complaints(self):
        """What the browser did not like since it was asked last: scripts that failed, policies that
        were broken, what could not be loaded."""
        said, self.events = self.events, []
        entries = [e["params"]["entry"] for e in said if e.get("method") == "Log.entryAdded"]
        thrown = [e["params"] for e in said if e.get("method") == "Runtime.exceptionThrown"]
        return [entry["text"] for entry in entries if entry["level"] == "error"] + [str(t) for t in thrown]

    def close(self):
        self.process.terminate()
        self.process.wait()
