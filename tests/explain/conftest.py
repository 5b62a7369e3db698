"""Everything that explains is shown in three ways: by commands, on pages, and after a crash."""

from tests.cli.conftest import beside, folder, greenroom, wired
from tests.crash.conftest import there as ground
from tests.web.conftest import house

__all__ = ["beside", "folder", "greenroom", "ground", "house", "wired"]
