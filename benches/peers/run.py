#!/usr/bin/env python3
"""The same three questions through several libraries for differential privacy, Tacit and plain polars, interleaved.

`python3 run.py` makes a virtual environment for each contestant from its pinned requirements, makes the table, asks, and prints
Markdown: times, ratios to plain polars, and errors at equal ε. README.md says what each is asked.
"""

import argparse
import json
import math
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
QUESTIONS = {
    "grouped": "count and mean by 9 diagnoses",
    "people": "count of people",
    "median": "median",
}
# Name, requirements, script and further arguments.
CONTESTANTS = {
    "plain polars": ("polars", "plain.py", []),
    "Tacit, gaussian": ("polars", "tacit.py", ["TACIT", "gaussian"]),
    "Tacit, pure": ("polars", "tacit.py", ["TACIT", "pure"]),
    "OpenDP": ("opendp", "opendp_polars.py", []),
    "SmartNoise SQL": ("smartnoise", "smartnoise.py", []),
    "PipelineDP": ("pipelinedp", "pipelinedp.py", []),
    "diffprivlib": ("diffprivlib", "diffprivlib_tools.py", []),
    "Tumult Analytics": ("tumult", "tumult.py", []),
}


def environment(home: Path, name: str) -> Path:
    """The interpreter of a virtual environment with pinned requirements; made once."""
    pins = HERE / "requirements" / f"{name}.txt"
    place = home / "environments" / name
    mark = place / "installed.txt"
    if not mark.exists() or mark.read_text() != pins.read_text():
        print(f"installing {pins.name}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        pip = [place / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", pins]
        subprocess.run(pip, check=True)
        shutil.copyfile(pins, mark)
    return place / "bin/python"


class Contestant:
    """A process that answers questions, one line each."""

    def __init__(self, name: str, python: Path, script: str, arguments: list, table: Path, log):
        command = [python, HERE / "contestants" / script, table, *arguments]
        self.name, begun = name, time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=table.parent)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("it ended before it was ready; its log says why")
        self.facts, self.ready_seconds = json.loads(line), time.perf_counter() - begun

    def ask(self, question: str) -> dict:
        try:
            print(question, file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"unanswered": "its process ended"}

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def started(options, home: Path, table: Path) -> list:
    contestants = []
    for name, (requirements, script, arguments) in CONTESTANTS.items():
        if options.only and not any(word.lower() in name.lower() for word in options.only.split(",")) and name != "plain polars":
            continue
        if script == "tacit.py" and not options.tacit:
            print(f"{name} is left out: --tacit names no binary", file=sys.stderr)
            continue
        if script == "tumult.py" and not shutil.which("java"):
            print(f"{name} is left out: there is no Java", file=sys.stderr)
            continue
        arguments = [options.tacit if word == "TACIT" else word for word in arguments]
        try:
            python = environment(home, requirements)
            log = open(home / f"{name.replace(' ', '-').replace(',', '')}.log", "w")
            contestants.append(Contestant(name, python, script, arguments, table, log))
            print(f"{name} is ready", file=sys.stderr)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return contestants


def interleaved(contestants: list, runs: int) -> dict:
    """What each said to each question, in `runs` rounds of random order after one that does not count."""
    order, said = random.Random(1), {}
    for run in range(-1, runs):
        for question in QUESTIONS:
            for contestant in order.sample(contestants, len(contestants)):
                key = (contestant.name, question)
                if said.get(key, [{}])[-1].get("unanswered"):
                    continue
                answer = contestant.ask(question)
                if run >= 0 or "unanswered" in answer:
                    said.setdefault(key, []).append(answer)
        print(f"round {run + 1} of {runs}", file=sys.stderr)
    return said


def distances(exact, answers: list) -> list:
    """The differences of answers to the exact value, as (of the count or the one value, of the mean)."""
    if not isinstance(exact, dict):
        return [[(answer - exact, exact) for answer in answers], []]
    return [
        [(answer[part].get(key, 0.0) - value, value) for answer in answers for key, value in exact[part].items()]
        for part in ("counts", "means")
    ]


def digits(value: float) -> str:
    """Three digits, without an exponent."""
    if abs(value) < 1e-9:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def shown(pairs: list) -> str:
    if not pairs:
        return "–"
    relative = statistics.fmean(abs(error / exact) for error, exact in pairs)
    rmse = math.sqrt(statistics.fmean(error * error for error, _ in pairs))
    return f"{digits(100 * relative)} %; {digits(rmse)}"


def table_of(question: str, contestants: list, said: dict) -> list:
    plain = said[("plain polars", question)]
    base, exact = statistics.median(one["seconds"] for one in plain), plain[0]["answer"]
    heads = ("count: error; RMSE", "mean: error; RMSE") if question == "grouped" else ("error; RMSE", "")
    lines = [f"**{QUESTIONS[question].capitalize()}**", "", f"| | ms | of plain polars | {heads[0]} |" + (f" {heads[1]} |" if heads[1] else "")]
    lines.append("|---|---|---|---|" + ("---|" if heads[1] else ""))
    for contestant in contestants:
        answers = said[(contestant.name, question)]
        if "unanswered" in answers[-1]:
            lines.append(f"| {contestant.name} | {answers[-1]['unanswered']} | – | – |" + (" – |" if heads[1] else ""))
            continue
        taken = statistics.median(one["seconds"] for one in answers)
        first, second = distances(exact, [one["answer"] for one in answers])
        cells = [contestant.name, digits(1e3 * taken), digits(taken / base), shown(first)] + ([shown(second)] if heads[1] else [])
        lines.append("| " + " | ".join(cells) + " |")
    return lines + [""]


def report(options, contestants: list, said: dict) -> str:
    cores, python = os.cpu_count(), platform.python_version()
    lines = [
        f"{options.rows:,} rows of {options.rows // 5:,} people, {options.runs} interleaved runs, {cores} cores ({platform.machine()}), "
        f"Python {python}; ε = 1 an answer, δ = 1e-6 where the noise has one, at most 8 rows of each person count.",
        "Times are medians; errors are means of the relative distance to the exact answer; RMSE in the unit of the answer.",
        "",
    ]
    for question in QUESTIONS:
        lines += table_of(question, contestants, said)
    lines += ["| | versions | noise | seconds until ready |", "|---|---|---|---|"]
    for one in contestants:
        lines.append(f"| {one.name} | {one.facts['versions']} | {one.facts['noise']} | {one.ready_seconds:.1f} |")
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000, help="rows of the table, five for each person (100,000)")
    options.add_argument("--runs", type=int, default=10, help="interleaved runs that count (10)")
    options.add_argument("--tacit", type=lambda path: str(Path(path).resolve()), help="a release binary of Tacit")
    options.add_argument("--home", type=Path, default=HERE / "home", help="where environments and tables are kept")
    options.add_argument("--only", help="contestants whose names have one of these words, with commas between")
    options = options.parse_args()
    home = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    table = home / f"visits-{options.rows}" / "visits.parquet"
    subprocess.run([environment(home, "polars"), HERE / "contestants/make_table.py", table, str(options.rows)], check=True)
    contestants = started(options, home, table)
    try:
        print(report(options, contestants, interleaved(contestants, options.runs)))
    finally:
        for contestant in contestants:
            contestant.stop()


if __name__ == "__main__":
    main()
