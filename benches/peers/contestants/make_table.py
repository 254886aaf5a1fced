"""Makes the table, as Parquet and as CSV: five rows of each person in no order, costs on multiples of 0.05."""

import random
import sys
from pathlib import Path

import polars as pl
from common import DIAGNOSES

path, rows = Path(sys.argv[1]), int(sys.argv[2])
if not path.with_suffix(".csv").exists():
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = random.Random(1)
    people = rows // 5
    pl.DataFrame({
        "patient_id": [row * 2_654_435_761 % people for row in range(rows)],
        "diagnosis": draw.choices(DIAGNOSES, k=rows),
        # Small costs are more frequent than large ones.
        "cost": [round(round(100_000 * draw.random() ** 2) * 0.05, 2) for _ in range(rows)],
    }).write_parquet(path)
    pl.read_parquet(path).write_csv(path.with_suffix(".csv"))
