#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A look at the processes of a stalled command when system calls fail: the command is undisturbed,
the log is sound. See tests/lib/faults.py."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import faults


@bl.section
def looks():
    faults.prove(faults.stalling(), ["openat", "read", "readlinkat", "close", "clock_gettime"])


bl.done()
