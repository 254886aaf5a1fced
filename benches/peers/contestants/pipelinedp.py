"""PipelineDP on its local backend: Gaussian noise, partitions that are public."""

import csv

import pipeline_dp as p
from common import COST_MAX, DELTA, DIAGNOSES, EPSILON, ROWS_PER_UNIT, grouped, serve, table_path
from importlib.metadata import version

with open(table_path().with_suffix(".csv"), newline="") as file:
    rows = [(int(row["patient_id"]), row["diagnosis"], float(row["cost"])) for row in csv.DictReader(file)]


def aggregate(params, partition, partitions):
    extractors = p.DataExtractors(
        privacy_id_extractor=lambda row: row[0], partition_extractor=partition, value_extractor=lambda row: row[2]
    )
    accountant = p.NaiveBudgetAccountant(total_epsilon=EPSILON, total_delta=DELTA)
    result = p.DPEngine(accountant, p.LocalBackend()).aggregate(rows, params, extractors, public_partitions=partitions)
    accountant.compute_budgets()
    return dict(result)


def by_diagnosis():
    params = p.AggregateParams(
        metrics=[p.Metrics.COUNT, p.Metrics.MEAN], noise_kind=p.NoiseKind.GAUSSIAN, max_contributions=ROWS_PER_UNIT,
        min_value=0, max_value=COST_MAX,
    )
    found = aggregate(params, lambda row: row[1], DIAGNOSES)
    return grouped({key: one.count for key, one in found.items()}, {key: one.mean for key, one in found.items()})


def of_all(metric, **bounds):
    params = p.AggregateParams(
        metrics=[metric], noise_kind=p.NoiseKind.GAUSSIAN, max_partitions_contributed=1, **bounds
    )
    return float(aggregate(params, lambda row: 0, [0])[0][0])


serve(
    {"versions": f"pipeline-dp {version('pipeline-dp')}, python-dp {version('python-dp')}", "noise": "Gaussian"},
    {
        "grouped": by_diagnosis,
        "people": lambda: of_all(p.Metrics.PRIVACY_ID_COUNT, max_contributions_per_partition=1),
        "median": lambda: of_all(
            p.Metrics.PERCENTILE(50), max_contributions_per_partition=ROWS_PER_UNIT, min_value=0, max_value=COST_MAX
        ),
    },
)
