"""Tacit: fresh answers over HTTP from a server process, by the accountant that the command line names.

Each question has a constant of its own on which no cost lies, so that it is a new question and leaves out no row.
"""

import http.client
import itertools
import json
import shutil
import subprocess
import sys
import threading

from common import COST_MAX, DELTA, DIAGNOSES, EPSILON, ROWS_PER_UNIT, grouped, serve, table_path

program, accountant = sys.argv[2:4]
home = table_path().parent / f"tacit-{accountant}"
home.mkdir(exist_ok=True)
delta = f', delta = "{DELTA}"' if accountant == "gaussian" else ""
(home / "visits.toml").write_text(f"""[dataset]
name = "visits"
source = "{table_path()}"
privacy_unit = "patient_id"
max_rows_per_unit = {ROWS_PER_UNIT}
max_rows = 200_000_000
accountant = "{accountant}"
cap = {{ epsilon = "100"{delta} }}
[[column]]
name = "diagnosis"
type = "category"
values = {json.dumps(DIAGNOSES)}
[[column]]
name = "cost"
type = "decimal"
min = "0"
max = "{COST_MAX:.0f}"
step = "0.01"
""")
(home / "tacit.toml").write_text('listen = "127.0.0.1:0"\nstate_dir = "state"\npolicies = ["visits.toml"]\n')


def run(*words):
    return subprocess.run([program, *words, "--state", "state"], cwd=home, check=True, capture_output=True, text=True).stdout


# A state directory of an earlier run would answer from what it stored.
shutil.rmtree(home / "state", ignore_errors=True)
run("seal", "visits.toml")
token = next(word for word in run("researcher", "add", "ada").split() if word.startswith("tct_"))
run("grant", "ada", "visits", "--epsilon", "100", "--reason", "benches")
server = subprocess.Popen([program, "serve", "--config", "tacit.toml"], cwd=home, stderr=subprocess.PIPE, text=True)
address = next(word for line in server.stderr for word in line.split() if word.startswith("http://"))[len("http://"):]
threading.Thread(target=server.stderr.read, daemon=True).start()
connection = http.client.HTTPConnection(address)
steps = itertools.count(0)


def ask(select, rest=""):
    # Costs are multiples of 0.05.
    sql = f"{select} FROM visits WHERE cost <> {1.01 + next(steps) * 0.05:.2f} {rest}"
    body = json.dumps({"sql": sql, "epsilon": str(EPSILON)})
    # A server ends connections on which nobody asks, and the others may take long: a new one for each question.
    connection.close()
    connection.request("POST", "/v1/queries", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    if answer.get("replayed") is not False:
        raise RuntimeError(answer.get("detail", "an answer from what is stored"))
    return answer["rows"]


def by_diagnosis():
    rows = ask("SELECT diagnosis, COUNT(*) AS n, AVG(cost) AS mean", "GROUP BY diagnosis")
    return grouped({row["diagnosis"]: row["n"] for row in rows}, {row["diagnosis"]: row["mean"] for row in rows})


try:
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    serve(
        {"versions": version, "noise": "discrete Gaussian" if accountant == "gaussian" else "discrete Laplace"},
        {
            "grouped": by_diagnosis,
            "people": lambda: float(ask("SELECT COUNT(DISTINCT patient_id) AS n")[0]["n"]),
            "median": lambda: float(ask("SELECT MEDIAN(cost) AS median")[0]["median"]),
        },
    )
finally:
    server.terminate()
    server.wait()
