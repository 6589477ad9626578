"""`moonline serve`: a switch that runs until it is told to stop."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from host.background import Background, go_to_background
from host.error_line import error_line
from host.log import LogLevel
from host.serve.options import DESCRIPTION, EXAMPLES, ServeError, add_arguments, check_options
from host.serve.phone import page_address
from host.serve.readiness import ready_line, tell_supervisor, warn, write_pid_file
from host.serve.start import start
from host.serve.wishes import Wishes
from host.xml_preprocess import XmlConfigError
from media.kept_memory import keep_freed_memory

if TYPE_CHECKING:
    from host.log_writer import LogFile
    from host.switch import Switch

# Objects made and not freed before the youngest are looked at for circles: those of some twenty calls. Python's 700
# is less than one call makes, so every look found all of it alive, and a fifth of a call's time went there.
_COLLECT_AFTER: Final = (30_000, 20, 20)


def main(argv: Sequence[str]) -> int:
    """Run `moonline serve` with these options; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="moonline serve",
        usage="moonline serve [OPTION ...]",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return serve(parser.parse_args(argv))


def serve(options: argparse.Namespace) -> int:
    """Start a switch, say when it is ready and run it until a signal or the API ends it; return the exit status."""
    try:
        wanted = check_options(options)
    except ServeError as error:
        return _fail(str(error), None)
    background = go_to_background() if options.background else None
    keep_freed_memory()
    with ExitStack() as stack:
        wishes = stack.enter_context(Wishes())
        try:
            switch, log_file = start(options, wanted, stack)
            warn(switch, own_configuration=wanted.root is not None)
            ready = ready_line(switch, page_address(wanted.phone) if wanted.phone is not None else None)
            if options.pid_file is not None:
                write_pid_file(options.pid_file, stack)
        except (ServeError, XmlConfigError, OSError) as error:
            stack.close()  # what is logged until then comes before the last line
            return _fail(error_line(error), background)
        switch.control.shutdown_listeners.append(wishes.end)
        # What start-up made stays: a full collection that walks it would hold all calls up for nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)
        switch.log(LogLevel.NOTICE, ready)
        if background is not None:
            background.tell(0, f"{ready}\n")
        else:
            sys.stdout.write(f"{ready}\n")  # in one piece: the log may go to the same file
            sys.stdout.flush()
            _show_console(switch, options, stack)
        tell_supervisor("READY=1")
        while wishes.next() == signal.SIGHUP:
            _renew(switch, log_file)
        switch.control.shutdown_listeners.remove(wishes.end)
        switch.log(LogLevel.NOTICE, "Shutting down")
        tell_supervisor("STOPPING=1")
    if wishes.again:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    return 0


def _fail(text: str, background: Background | None) -> int:
    if background is not None:
        background.tell(1, f"moonline: {text}\n")
    else:
        sys.stderr.write(f"moonline: {text}\n")  # in one piece: the log may go to the same file
    return 1


def _show_console(switch: Switch, options: argparse.Namespace, stack: ExitStack) -> None:
    """Show a prompt where the server owns a terminal."""
    if options.no_console or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    try:
        from host.console.own import OwnConsole

        console = OwnConsole(switch)
    except ModuleNotFoundError as error:
        switch.log(LogLevel.NOTICE, f"No prompt without {error.name}: pip install 'moonline[console]'")
        return
    stack.callback(console.stop)
    console.start()


def _renew(switch: Switch, log_file: LogFile | None) -> None:
    if log_file is not None:
        try:
            log_file.reopen()
        except OSError as error:
            switch.log(LogLevel.ERR, f"The log file could not be opened anew: {error}")
    if switch.bus.wants("TRAP"):  # what other files there are is the modules' business
        event = switch.new_event("TRAP")
        event.add_header("Trapped-Signal", "HUP")
        switch.fire(event)
    answer = (
        switch.api("reloadxml")
        if switch.api_commands.get("reloadxml") is not None
        else f"[{switch.xml.reload()}]"
    )
    switch.log(LogLevel.NOTICE, f"SIGHUP: {answer.strip()}")
