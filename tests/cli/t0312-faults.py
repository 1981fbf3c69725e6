#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every system call fails, once and for good, at every early N (part 3 of 3 of the table): the
command is undisturbed or was refused before it started, the log is sound or said to have no
end, nothing hangs. See tests/lib/faults.py."""
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bl
import faults


@bl.section
def fresh():
    faults.prove(faults.fresh(), faults.part(2, 3))


@bl.section
def again():
    faults.prove(faults.again(), faults.part(2, 3))


bl.done()
