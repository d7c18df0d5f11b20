"""A command that serves, in a process of its own and on a free port."""

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from queue import Queue

from common.paths import ROOT


@contextmanager
def served(command, *arguments, **environment):
    """Start ``app.py`` or ``service.py``; give its URL, its process and the lines of its stderr."""
    process = subprocess.Popen(
        [sys.executable, ROOT / command, "--port", "0", *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    lines, said = [], Queue()

    def drain():
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r'http://[^\s"]+', line):
                said.put(found[0])
        said.put(None)  # it has ended

    reader = threading.Thread(target=drain)
    reader.start()
    try:
        url = said.get()
        assert url, "".join(lines)
        yield url, process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()
