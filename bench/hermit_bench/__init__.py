# SPDX-License-Identifier: MIT
"""hermit-bench: what a program costs as a guest of Hermit and of its peers."""
