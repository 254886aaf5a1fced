"""diffprivlib over numpy. It protects rows, so a unit of up to eight rows gets an eighth of ε for each row (group privacy)."""

import csv
import warnings

import diffprivlib
import numpy as np
from common import COST_MAX, DIAGNOSES, EPSILON, ROWS_PER_UNIT, grouped, serve, table_path

warnings.simplefilter("ignore")
with open(table_path().with_suffix(".csv"), newline="") as file:
    rows = [(int(row["patient_id"]), DIAGNOSES.index(row["diagnosis"]), float(row["cost"])) for row in csv.DictReader(file)]
patients = np.array([row[0] for row in rows])
diagnoses = np.array([row[1] for row in rows], dtype=np.int8)
costs = np.array([row[2] for row in rows])
del rows


def kept():
    """Which rows count: the first eight of each patient."""
    order = np.argsort(patients, kind="stable")
    ids = patients[order]
    starts = np.r_[0, np.flatnonzero(ids[1:] != ids[:-1]) + 1]
    rank = np.arange(len(ids)) - np.repeat(starts, np.diff(np.r_[starts, len(ids)]))
    return order[rank < ROWS_PER_UNIT]


def by_diagnosis():
    rows, each = kept(), EPSILON / ROWS_PER_UNIT / 2
    keys, values, counts, means = diagnoses[rows], costs[rows], {}, {}
    for code, name in enumerate(DIAGNOSES):
        group = keys == code
        counts[name] = diffprivlib.tools.count_nonzero(group, epsilon=each)
        means[name] = diffprivlib.tools.mean(values[group], epsilon=each, bounds=(0, COST_MAX))
    return grouped(counts, means)


def people():
    return float(diffprivlib.tools.count_nonzero(np.ones(len(np.unique(patients))), epsilon=EPSILON))


def median():
    return float(diffprivlib.tools.median(costs[kept()], epsilon=EPSILON / ROWS_PER_UNIT, bounds=(0, COST_MAX)))


serve(
    {"versions": f"diffprivlib {diffprivlib.__version__}, numpy {np.__version__}", "noise": "Laplace and geometric; median: exponential mechanism"},
    {"grouped": by_diagnosis, "people": people, "median": median},
)
