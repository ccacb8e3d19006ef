#!/bin/sh
# What a CI job does with cachex before its steps and after them. It lies in
# share/cachex of every installation; action.yml and gitlab.yml call it, and any other CI can:
#
#   ci.sh start    takes in what earlier jobs recorded, if CACHEX_CI_ARCHIVE is there
#   ci.sh finish   writes that file anew, sends what a remote store has not got yet, and
#                  adds the figures to the job's summary
#
# The steps between them call `cachex run`. Nothing here fails a job: a cache that is
# missing or damaged costs time, and no more. Variables, beside those of cachex:
#   CACHEX_CI_ARCHIVE   the file that the CI keeps between jobs; none with a remote store
#   CACHEX_CI_SINCE     what was last used before that stays behind (14d)
#   CACHEX_CI_MAX_SIZE  what was used last, up to this size, is kept (500MiB)
set -u

warn() {
    echo "cachex ci: $1" >&2
}

start() {
    if [ -f "$archive" ]; then
        cachex import "$archive" || warn "$archive was not taken in whole"
    fi
}

finish() {
    if [ -n "${CACHEX_REMOTE:-}" ]; then
        # What is still on its way would end with the job.
        cachex remote flush || warn 'not everything was sent to the remote store'
    fi
    if [ -n "$archive" ]; then
        since=${CACHEX_CI_SINCE:-14d} size=${CACHEX_CI_MAX_SIZE:-500MiB}
        mkdir -p "$(dirname "$archive")"
        cachex export --since "$since" --max-size "$size" --to "$archive" || warn "$archive was not written"
    fi
    # The store began with this job, but for what was taken in.
    if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
        cachex stats --since 1d --format markdown >>"$GITHUB_STEP_SUMMARY"
    else
        cachex stats --since 1d --format markdown
    fi || warn 'there are no figures'
}

archive=${CACHEX_CI_ARCHIVE:-}
case ${1:-} in
    start) start ;;
    finish) finish ;;
    *)
        echo "usage: ci.sh start | finish" >&2
        exit 2
        ;;
esac
exit 0
