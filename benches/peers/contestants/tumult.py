"""Tumult Analytics on Spark in this machine alone; the table is cached in Spark before the first question."""

import os
import sys
import warnings

os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
from common import COST_MAX, DIAGNOSES, EPSILON, ROWS_PER_UNIT, grouped, serve, table_path
from importlib.metadata import version
from pyspark.sql import SparkSession
from tmlt.analytics import AddRowsWithID, KeySet, MaxRowsPerID, PureDPBudget, QueryBuilder, Session

warnings.simplefilter("ignore")
OPENED = "-Dio.netty.tryReflectionSetAccessible=true --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"
spark = (
    SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
    .config("spark.sql.shuffle.partitions", str(os.cpu_count())).config("spark.driver.extraJavaOptions", OPENED).getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
frame = spark.read.csv(
    str(table_path().with_suffix(".csv")), header=True, schema="patient_id LONG, diagnosis STRING, cost DOUBLE"
).cache()
frame.count()
session = Session.from_dataframe(
    privacy_budget=PureDPBudget(float("inf")), source_id="visits", dataframe=frame, protected_change=AddRowsWithID("patient_id")
)
keys = KeySet.from_dict({"diagnosis": DIAGNOSES})


def ask(query, epsilon):
    return session.evaluate(query, PureDPBudget(epsilon)).collect()


def bounded():
    return QueryBuilder("visits").enforce(MaxRowsPerID(ROWS_PER_UNIT))


def by_diagnosis():
    counts = ask(bounded().groupby(keys).count(name="n"), EPSILON / 2)
    means = ask(bounded().groupby(keys).average("cost", 0, COST_MAX, name="mean"), EPSILON / 2)
    return grouped({row["diagnosis"]: row["n"] for row in counts}, {row["diagnosis"]: row["mean"] for row in means})


serve(
    {"versions": f"tmlt.analytics {version('tmlt.analytics')}, pyspark {version('pyspark')}", "noise": "Laplace and geometric"},
    {
        "grouped": by_diagnosis,
        "people": lambda: float(ask(QueryBuilder("visits").count_distinct(["patient_id"]), EPSILON)[0][0]),
        "median": lambda: float(ask(bounded().quantile("cost", 0.5, 0, COST_MAX), EPSILON)[0][0]),
    },
)
