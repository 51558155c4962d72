"""The Qt binding keeps count of None: one release lost a reference per call and aborted after thousands."""

import subprocess
import sys

SCRIPT = """
import sys
from PySide6.QtCore import QObject

thing = QObject()
for _ in range(100):
    thing.setObjectName("warm")
before = sys.getrefcount(None)
for _ in range(10_000):
    thing.setObjectName("name")
print(sys.getrefcount(None) - before)
"""


def test_ten_thousand_qt_calls_leave_the_count_of_none_alone():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    assert abs(int(run.stdout)) < 100
