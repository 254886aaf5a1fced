"""SmartNoise SQL over pandas. It spends its ε on each column, so each gets its part of the whole."""

import logging
import warnings

import pandas as pd
import snsql
from common import COST_MAX, DELTA, EPSILON, ROWS_PER_UNIT, grouped, serve, table_path
from importlib.metadata import version

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
frame = pd.read_csv(table_path().with_suffix(".csv"), usecols=["patient_id", "diagnosis", "cost"])
METADATA = {"": {"": {"visits": {
    "max_ids": ROWS_PER_UNIT, "row_privacy": False, "censor_dims": False, "clamp_columns": True, "clamp_counts": False,
    "sample_max_ids": True, "rows": len(frame),
    "patient_id": {"type": "int", "private_id": True},
    "diagnosis": {"type": "string"},
    "cost": {"type": "float", "lower": 0.0, "upper": COST_MAX},
}}}}


def ask(sql):
    def reader(epsilon):
        privacy = snsql.Privacy(epsilon=epsilon, delta=DELTA)
        return snsql.from_df(frame, privacy=privacy, metadata=METADATA)

    # What it says that it would spend if each column had the whole ε.
    spent, _ = reader(EPSILON).get_privacy_cost(sql)
    return reader(EPSILON * EPSILON / float(spent)).execute(sql)[1:]


def by_diagnosis():
    rows = ask("SELECT diagnosis, COUNT(*) AS n, AVG(cost) AS mean FROM visits GROUP BY diagnosis")
    return grouped({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows})


serve(
    {"versions": f"smartnoise-sql {version('smartnoise-sql')}, pandas {pd.__version__}", "noise": "Laplace and Gaussian, as it chooses"},
    {
        "grouped": by_diagnosis,
        "people": lambda: float(ask("SELECT COUNT(DISTINCT patient_id) AS n FROM visits")[0][0]),
    },
)
