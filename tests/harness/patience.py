# SPDX-License-Identifier: GPL-2.0-only
"""How long a test waits for what should come at once. This only ends what would never end: no test passes or
fails by how long something took."""

import os


def patience(seconds):
    """A guest's processor is emulated, ten times slower, and one of several on this machine."""
    return seconds * (20 if os.environ.get("NSVIEW_GUEST") else 1)
