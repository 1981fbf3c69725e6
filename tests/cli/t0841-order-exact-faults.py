#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--order exact: its own system calls fail, at every early N: the command is undisturbed or was
refused before it started, the log is sound. See tests/lib/faults.py."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import faults


@bl.section
def sockets():
    faults.prove(faults.exact(), ["socketpair", "setsockopt", "recvmsg", "fcntl"])


bl.done()
