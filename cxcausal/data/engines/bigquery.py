"""BigQuery: `bigquery://project/dataset`, with the credentials that the environment has."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis

from cxcausal.core.errors import PlanError, Problem
from cxcausal.data.engine import Table
from cxcausal.data.engines.bigquery_sql import BigQuery
from cxcausal.data.engines.warehouse import Warehouse, parts_of, required, unreached
from cxcausal.data.urls import expanded

_OPTIONS = {"location": "location", "max_bytes": "maximum_bytes_billed"}


@dataclass(frozen=True, kw_only=True)
class BigQueryEngine(Warehouse):
    """One client of a project, which reads a dataset."""

    project: str

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What the client raises."""
        from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415 - an extra

        return (GoogleAPIError,)

    def names(self, schema: str | None) -> Sequence[str]:
        """Return the tables of a dataset."""
        found: Sequence[str] = self.backend.list_tables(database=schema)
        return found

    def found(self, name: str, schema: str | None) -> Table:
        """Return a table of a dataset."""
        return self.backend.table(name, database=schema)

    def answered(self, statement: str) -> Sequence[Sequence[object]]:
        """Send a statement and return its rows."""
        return [row.values() for row in self.backend.client.query(statement, project=self.project).result()]


def start(url: str, *, label: str, root: Path, timezone: str) -> BigQueryEngine:
    """Return a client of the project in the URL.

    Raises:
        PlanError: the URL names no project, or has an option that is not known.
        MachineError: the client is not installed, or there are no credentials for it.
    """
    del root
    required("google.cloud.bigquery", "bigquery", label)
    split, names, options = parts_of(expanded(url, label))
    unknown = sorted(set(options) - set(_OPTIONS))
    if not split.hostname or len(names) > 1 or unknown:
        what = f"the URL has the unknown option '{unknown[0]}'" if unknown else "the URL is not one of a dataset"
        mend = "write bigquery://project/dataset?location=EU&max_bytes=10000000000"
        raise PlanError(Problem(where="data.source", code="D118", what=what, mend=mend))
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - an extra
    from google.cloud.bigquery import Client, QueryJobConfig  # noqa: PLC0415 - as above

    most = {"maximum_bytes_billed": int(options["max_bytes"])} if "max_bytes" in options else {}
    try:
        client = Client(
            project=split.hostname,
            location=options.get("location"),
            default_query_job_config=QueryJobConfig(labels={"application": "cxcausal"}, **most),
        )
        backend = ibis.bigquery.connect(project_id=split.hostname, dataset_id=names[0] if names else "", client=client)
    except GoogleAuthError:
        raise unreached(label, "BigQuery", "log in with: gcloud auth application-default login") from None
    backend.compiler = BigQuery(timezone)
    return BigQueryEngine(backend=backend, label=label, timezone=timezone, project=split.hostname)
