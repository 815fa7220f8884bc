#!/bin/sh
# A team's MLflow server: runs in PostgreSQL, artifacts in a folder that only the server writes.
#
#   TEAM_STORE     postgresql://user:password@host/database; made and migrated at the first start
#   TEAM_ARTIFACTS folder of the artifacts, or an address such as s3://bucket/mlflow
#   TEAM_HOST      where it listens: 127.0.0.1 unless a proxy on another machine asks it
#   TEAM_PORT      5000 by default
#   TEAM_NAMES     names by which clients call it, such as mlflow.example.com,localhost:*
set -eu
: "${TEAM_STORE:?set it to the address of a PostgreSQL database, such as postgresql://mlflow:password@db/mlflow}"
: "${TEAM_ARTIFACTS:?set it to the folder of the artifacts}"

# In the environment and not on the command line, where every user of this machine could read the password.
MLFLOW_BACKEND_STORE_URI="postgresql+psycopg://${TEAM_STORE#*://}"
export MLFLOW_BACKEND_STORE_URI
export MLFLOW_DISABLE_TELEMETRY=true MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
[ -z "${TEAM_NAMES:-}" ] || export MLFLOW_SERVER_ALLOWED_HOSTS="$TEAM_NAMES"

exec "${TEAM_MLFLOW:-mlflow}" server --host "${TEAM_HOST:-127.0.0.1}" --port "${TEAM_PORT:-5000}" \
  --workers "${TEAM_WORKERS:-2}" --serve-artifacts --artifacts-destination "$TEAM_ARTIFACTS"
