"""How long `--help` takes, in a new process each time: the target is under 0.5 s, so nothing heavy may be imported.

Run: python benchmarks/help_latency.py. The last line of the output is one JSON object, medians in seconds.
"""

import json
import shutil
import statistics
import subprocess
import time

RUNS = 9


def main() -> None:
    """Time each command and print the medians."""
    medians = {}
    for command in ("cbeval --help", "cbeval run --help", "cbtrain --help", "cbtrain train --help"):
        words = command.split()
        program = shutil.which(words[0])
        assert program, f"{words[0]} is not on the PATH"
        seconds = []
        for _ in range(RUNS):
            start = time.perf_counter()
            subprocess.run([program, *words[1:]], check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
        medians[command] = round(statistics.median(seconds), 3)
    print(json.dumps(medians))


if __name__ == "__main__":
    main()
