"""Ends what the servers of the tests started."""

from __future__ import annotations

import os
import signal
import subprocess


def stop(process: subprocess.Popen[bytes], *, group: bool = False, seconds: float = 20.0) -> None:
    """Ask a server to end, then make it end, and do not return before it has.

    A process that nobody waited for holds its port and its files, and fails whichever test runs when it is collected.

    Args:
        process: The server; may have ended already.
        group: Whether what it started ends too; it must then lead a group of its own.
        seconds: How long it may take to end by itself. On a busy machine that can be long.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            if group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    raise AssertionError(f"the server of process {process.pid} did not end when killed")
