#!/bin/sh
# Rerun an experiment on fresh data, keep what it said, and tell somebody what the exit code asks for.
#
#   rerun.sh EXPERIMENT DATA     in the project's folder; the exit code is that of cxcausal
#
#   CX_NOTIFY  a command that is given a subject and the file with the result; without one, the subject goes to stderr,
#              which cron mails
#   CX_KEEP    the folder of what was said, .cxcausal/scheduled by default
set -u
experiment=$1
data=$2
kept="${CX_KEEP:-.cxcausal/scheduled}/$experiment"
mkdir -p "$kept" || exit 6

tell() {
  if [ -n "${CX_NOTIFY:-}" ]; then "$CX_NOTIFY" "$experiment: $1" "$kept/result.json"; else echo "$experiment: $1" >&2; fi
}

cxcausal rerun "$experiment" --on "$data" --json --log-format json --as "${CXCAUSAL_ACTOR:-scheduler}" \
  >"$kept/result.json" 2>"$kept/log.jsonl"
code=$?
case $code in
  0) ;;
  8) tell "the decision is another one than before; read the report" ;;
  5) tell "a validity gate withheld the verdict; see the checks in the result" ;;
  4) tell "the data are not what the plan says; mend them, nothing was lost" ;;
  6) tell "the environment failed (disk, server, memory); it is safe to try again" ;;
  7) tell "a record does not match its hash; stop, and run: cxcausal audit verify" ;;
  3) tell "the plan or a configuration file is wrong; run: cxcausal validate" ;;
  130 | 143) tell "it was stopped; it is safe to try again" ;;
  *) tell "it failed with exit code $code; see $kept/log.jsonl" ;;
esac
exit "$code"
