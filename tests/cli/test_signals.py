"""SIGTERM and SIGHUP are the same wish as Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool

import pytest

from augkit.cli import _app
from augkit.cli._signals import Interrupts
from augkit.core.errors import ShardError

_app.load_commands("augkit.cli", _app.ORDER)  # before the application is replaced
WISHES = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _no_nohup() -> Iterator[None]:
    """The suite itself may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", WISHES)
def test_a_signal_is_an_interrupt_and_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        os.kill(os.getpid(), number)
    assert interrupts.asked and signal.getsignal(number) == before


def test_what_follows_at_once_does_not_disturb_the_cleaning_up() -> None:
    cleaned = False
    with Interrupts():
        try:
            os.kill(os.getpid(), signal.SIGHUP)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned = True
    assert cleaned


def test_nohup_stays_nohup(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
        assert not interrupts.asked and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_have_no_signals() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def work() -> None:
        with Interrupts():
            seen.append(signal.getsignal(signal.SIGTERM))

    seen: list[object] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def dies(error: Exception) -> Callable[..., None]:
    """A command that is told to end, and meets what its ended workers leave."""

    def work(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            raise error from None

    return work


@pytest.mark.parametrize("error", [RuntimeError("a worker was killed"), ShardError("a worker was killed")])
def test_whatever_an_interrupted_command_meets_it_is_130(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_app, "app", dies(error))
    assert _app.run(["classes"]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_a_worker_that_was_killed_is_no_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(*_: object, **__: object) -> None:
        raise BrokenProcessPool("A process in the process pool was terminated abruptly")

    monkeypatch.setattr(_app, "app", work)
    assert _app.run(["classes"]) == 3
    assert "a worker process was killed" in capsys.readouterr().err
