"""What the contestants share: the table's public facts, and the exchange with `run.py`.

A contestant is a process that reads one question a line on its standard input and writes one line of JSON to its standard output:
the seconds that the answer took and the answer. It reads the table before the first question, which is not timed.
"""

import json
import os
import sys
import time
from pathlib import Path

# What is public about the table.
DIAGNOSES = ["asthma", "back pain", "check-up", "copd", "depression", "diabetes", "hypertension", "infection", "injury"]
COST_MAX = 5000.0
ROWS_PER_UNIT = 8
EPSILON = 1.0
DELTA = 1e-6
# The medians that a mechanism over listed candidates chooses from: steps of 5 over the range of costs.
CANDIDATES = [float(step) for step in range(0, 5001, 5)]
QUESTIONS = ["grouped", "people", "median"]


class Unanswered(Exception):
    """The library has no such question."""


def table_path() -> Path:
    return Path(sys.argv[1])


def serve(facts: dict, answers: dict) -> None:
    """Answers questions until standard input ends. `answers` maps a question to a function."""
    out = os.fdopen(os.dup(1), "w")
    # Whatever a library prints goes to standard error.
    os.dup2(2, 1)
    print(json.dumps(facts), file=out, flush=True)
    for line in sys.stdin:
        question = line.strip()
        begun = time.perf_counter()
        try:
            if question not in answers:
                raise Unanswered(question)
            answer = answers[question]()
            said = {"seconds": time.perf_counter() - begun, "answer": answer}
        except Unanswered:
            said = {"unanswered": "no such question"}
        except Exception as error:  # A contestant that fails is told of, and the others go on.
            said = {"unanswered": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120] if str(error).strip() else ''}"}
        print(json.dumps(said), file=out, flush=True)


def grouped(counts: dict, means: dict) -> dict:
    return {"counts": {str(key): float(value) for key, value in counts.items()},
            "means": {str(key): float(value) for key, value in means.items()}}
