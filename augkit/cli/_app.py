"""The application that verbs join, and how its errors leave the process."""

from __future__ import annotations

import importlib
import io
import pkgutil
import sys
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from functools import partial
from typing import Annotated, Any

import typer

from augkit.cli._answer import Answer
from augkit.cli._log import close_log
from augkit.cli._signals import Interrupts
from augkit.core.disk_faults import meaning_of
from augkit.core.errors import AugkitError, RenamedWarning

# ClickException, wherever this typer keeps click: its own copy in new releases, the package in older ones.
_UsageError: type[Any] = typer.BadParameter.__mro__[2]

INTERRUPTED = 130
_DEAD_WORKER = (
    "a worker process was killed, or ran out of memory", "workers that live",
    "run the same command again: it goes on where it was; fewer --workers take less memory",
)  # fmt: skip

app = typer.Typer(
    name="augkit",
    help="Fill the gaps of a car-part data set with generated photo + mask pairs.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and leave.")] = False,
) -> None:
    """Fill the gaps of a car-part data set with generated photo + mask pairs."""
    if version:
        from augkit import __version__

        print(__version__)
        raise typer.Exit()


# The order in which a user meets the verbs; others follow in alphabetical order.
ORDER = (
    "doctor", "config", "demo", "import_", "render", "classes", "audit", "silhouettes", "train", "balance", "gate",
    "augment", "verify", "report", "view", "export", "evaluate", "compare", "project", "mix", "paint", "segment",
)  # fmt: skip


def load_commands(package: str, order: Sequence[str] = ()) -> None:
    """Imports a package's modules, which register their commands: first those of ``order``, then by name."""
    names = [module.name for module in pkgutil.iter_modules(sys.modules[package].__path__)]
    public = [name for name in names if not name.startswith("_")]
    for name in sorted(public, key=lambda name: (order.index(name) if name in order else len(order), name)):
        importlib.import_module(f"{package}.{name}")


def main() -> None:
    """Entry point of the console script. Exit codes: see the design (0, 2, 3, 4, 70, 130)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # in a file or a pipe, too: a plan is read while it is run
    sys.exit(run(sys.argv[1:]))


def _show(others: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any) -> None:
    """Warnings of renamed things are for users, without a line of our code."""
    if issubclass(category, RenamedWarning):
        print(f"augkit: {message}", file=sys.stderr)
    else:
        others(message, category, *where)


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code; errors go to stderr, without a traceback.

    What no other line catches is a fault of augkit's own: its traceback goes to a file.
    """
    answer = Answer.to(arguments)
    try:
        with Interrupts() as interrupts:
            return _called(arguments, interrupts)
    except AugkitError as error:
        return answer.refused(error, error.exit_code)
    except _UsageError as error:
        error.show()
        return answer.told("UsageError", error.format_message(), 2)
    except KeyboardInterrupt:
        message = "interrupted; run the same command again to go on"
        print(f"augkit: {message}", file=sys.stderr)
        return answer.told("Interrupted", message, INTERRUPTED)
    except (OSError, BrokenExecutor) as error:
        said = _DEAD_WORKER if isinstance(error, BrokenExecutor) else (str(error), *meaning_of(error))
        return answer.refused(AugkitError(*said), 3, type(error).__name__)
    except Exception as error:
        from augkit.cli._fault import FAULT, report_fault

        message = report_fault(error, arguments)
        print(f"augkit: {message}", file=sys.stderr)
        return answer.told("Fault", message, FAULT)
    finally:
        close_log()


def _called(arguments: list[str], interrupts: Interrupts) -> int:
    """The exit code of the command. Raises KeyboardInterrupt for all that came of an interrupt."""
    load_commands("augkit.cli", ORDER)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = partial(_show, warnings.showwarning)
            code = app(arguments, standalone_mode=False)
    except Exception as error:
        # Its workers were told to end as well, and it met that. Older releases of typer make an Abort of Ctrl-C, and
        # all of the end of a file, wherever that was read ...
        cut = error.__cause__ if isinstance(error.__cause__, EOFError) else None
        if interrupts.asked or (isinstance(error, typer.Abort) and cut is None):
            raise KeyboardInterrupt from error
        if cut is not None:
            raise cut from None
        raise
    if code == INTERRUPTED:  # ... and newer ones this
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0
