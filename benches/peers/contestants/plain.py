"""Plain polars: the exact answers, and the time that others are compared with."""

import polars as pl
from common import grouped, serve, table_path

frame = pl.read_parquet(table_path())


def by_diagnosis():
    found = frame.lazy().group_by("diagnosis").agg(pl.len().alias("n"), pl.col("cost").mean()).collect()
    return grouped(dict(zip(found["diagnosis"], found["n"])), dict(zip(found["diagnosis"], found["cost"])))


serve(
    {"versions": f"polars {pl.__version__}", "noise": "none"},
    {
        "grouped": by_diagnosis,
        "people": lambda: frame.lazy().select(pl.col("patient_id").n_unique()).collect().item(),
        "median": lambda: frame.lazy().select(pl.col("cost").median()).collect().item(),
    },
)
