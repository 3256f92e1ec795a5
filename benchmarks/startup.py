"""What `import course_lib` adds to `import torch`: medians of seven fresh interpreters each, in turns."""

import statistics
import subprocess
import sys
import time


def seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main() -> None:
    codes = ["import torch", "import torch, course_lib"]
    times = {code: [] for code in codes}
    for _ in range(7):
        for code in codes:
            times[code].append(seconds(code))
    alone, both = (statistics.median(times[code]) for code in codes)
    print(f"import torch: {alone:.2f} s; with course_lib: {both:.2f} s; added: {both - alone:+.3f} s")


if __name__ == "__main__":
    main()
