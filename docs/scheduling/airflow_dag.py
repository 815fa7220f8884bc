"""Rerun an experiment every Monday; a flip is told, and only what a retry can mend is a failed task."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = "/srv/experiments"
EXPERIMENT = "proactive-outreach"
DATA = "data/outreach.parquet"

# The last line of stdout becomes the task's XCom: the exit code. 0, 5 and 8 are answers, and not failures.
RERUN = f"""
docs/scheduling/rerun.sh {EXPERIMENT} {DATA}
code=$?
echo $code
case $code in 0 | 5 | 8) exit 0 ;; *) exit $code ;; esac
"""

TELL = """
case "{{ ti.xcom_pull(task_ids='rerun') }}" in
  8) echo "the decision is another one than before" ;;
  5) echo "a validity gate withheld the verdict" ;;
  *) exit 99 ;;
esac
"""

with DAG(
    dag_id=f"cxcausal_{EXPERIMENT}",
    schedule="0 6 * * 1",
    start_date=datetime(2026, 1, 5, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=15)},
) as dag:
    rerun = BashOperator(task_id="rerun", bash_command=RERUN, cwd=PROJECT, do_xcom_push=True)
    # Exit code 99 skips a task: there is nothing to tell.
    tell = BashOperator(task_id="tell", bash_command=TELL, cwd=PROJECT, retries=0)
    rerun >> tell
