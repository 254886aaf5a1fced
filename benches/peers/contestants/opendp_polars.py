"""OpenDP's context over polars: ε by pure differential privacy, the unit is an identifier.

Costs are whole cents: sums of floats would get more noise, for what rounding may add up to.
"""

import warnings

import opendp.prelude as dp
import polars as pl
from common import CANDIDATES, COST_MAX, DIAGNOSES, EPSILON, ROWS_PER_UNIT, grouped, serve, table_path
from importlib.metadata import version

warnings.simplefilter("ignore")
dp.enable_features("contrib")
frame = pl.read_parquet(table_path()).with_columns((pl.col("cost") * 100).round().cast(pl.Int64))
keys = pl.LazyFrame({"diagnosis": DIAGNOSES})
# A declared bound, as a steward would: twice the rows, rounded to a public number.
MAX_LENGTH = 200_000_000


def query():
    return dp.Context.compositor(
        data=frame.lazy(),
        privacy_unit=dp.unit_of(contributions=1, identifier="patient_id"),
        privacy_loss=dp.loss_of(epsilon=EPSILON),
        split_evenly_over=1,
        margins=[dp.polars.Margin(max_length=MAX_LENGTH)],
    ).query()


def by_diagnosis():
    cost = pl.col("cost").fill_null(0).dp.sum((0, int(COST_MAX) * 100))
    kept = query().truncate_per_group(ROWS_PER_UNIT)
    found = kept.group_by("diagnosis").agg(dp.len().alias("n"), cost).with_keys(keys).release().collect()
    means = {key: total / count / 100 for key, count, total in zip(found["diagnosis"], found["n"], found["cost"]) if count}
    return grouped(dict(zip(found["diagnosis"], found["n"])), means)


def people():
    return query().truncate_per_group(1).select(dp.len()).release().collect().item()


def median():
    cost = pl.col("cost").fill_null(0).dp.median([int(candidate) * 100 for candidate in CANDIDATES])
    return query().truncate_per_group(ROWS_PER_UNIT).select(cost).release().collect().item() / 100


serve(
    {"versions": f"opendp {version('opendp')}, polars {pl.__version__}", "noise": "Laplace; median: exponential mechanism over 1,001 candidates"},
    {"grouped": by_diagnosis, "people": people, "median": median},
)
