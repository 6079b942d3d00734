# SPDX-License-Identifier: MIT
"""Reports: the same tables on the terminal, in Markdown and on a page."""
