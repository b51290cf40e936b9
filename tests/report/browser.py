"""A headless Chromium, spoken to over a pipe in the DevTools protocol: one page, what it asks for and what it says."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
NEVER_NETWORK = ("file:", "data:", "about:")


def find_chromium() -> str | None:
    """The program, or None where it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def find_axe() -> Path | None:
    """axe-core's script, where npm has put it (``.ci/run`` does)."""
    path = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    return path if path.is_file() else None


class Page:
    """One tab. ``problems`` are errors of the console and uncaught exceptions, ``requests`` what it asked for."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'  # where Chromium looks for the protocol
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._rest, self._number, self._session = b"", 0, ""
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Page:
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = ""
        try:
            self.call("Browser.close")
        except OSError:
            pass
        finally:
            os.close(self._out)
            os.close(self._in)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def open(self, path: Path) -> None:
        """Loads a file and waits until it is there."""
        self._events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._take(self._receive())

    def show(self, width: int, height: int = 900, scheme: str = "light", scale: float = 1) -> None:
        """The size of the window and the colour scheme that the user prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str, times: int = 1) -> None:
        """Presses a key in what has the focus."""
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Tab": 9, "Enter": 13, "Escape": 27}
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        down = {"type": "keyDown", "text": "\r"} if key == "Enter" else {"type": "rawKeyDown"}
        for _ in range(times):
            for kind in (down, {"type": "keyUp"}):
                self.call("Input.dispatchKeyEvent", **pressed, **kind)

    def touch(self, *places: tuple[int, int]) -> None:
        """A finger that goes from place to place and is lifted at the last."""
        for kind, place in zip(["touchStart", *["touchMove"] * (len(places) - 1)], places, strict=True):
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[dict(zip("xy", place, strict=True))])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def picture(self, path: Path, full: bool = False) -> Path:
        """A screenshot as PNG, of the window or of the full page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            self._take(answer)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._in, 1 << 20)
            if not data:
                raise OSError("the browser has gone")
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            return
        self._events.append(message)
        parameters = message["params"]
        if message["method"] == "Runtime.exceptionThrown":
            self.problems.append(str(parameters["exceptionDetails"]))
        if message["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.problems.append(str(parameters["args"]))
        if message["method"] == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.problems.append(parameters["entry"]["text"])
        if message["method"] == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"][:200])

    @property
    def outside(self) -> list[str]:
        """Requests that left this machine's files."""
        return [url for url in self.requests if not url.startswith(NEVER_NETWORK)]


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[Page]:
    """A browser with a new profile, closed at the end."""
    with Page(program, profile) as page:
        yield page
